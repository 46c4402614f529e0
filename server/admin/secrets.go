package admin

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

const (
	defaultOverlap = 24 * 60 * 60     // seconds
	maxOverlap     = 7 * 24 * 60 * 60 // seconds
)

// newSecret gives a client another secret; the store gets its hash.
func (a *Admin) newSecret(ctx context.Context, tx *store.Tx, client *store.Client, now store.Time) (string, error) {
	secret := oauth2.NewSecret()
	return secret, tx.InsertClientSecret(ctx, &store.ClientSecret{
		ID: a.newID("sec_"), Tenant: client.Tenant, ClientID: client.ID, Hash: oauth2.HashSecret(secret), CreatedAt: now,
	})
}

type secretView struct {
	ClientID  string    `json:"client_id"`
	Secret    string    `json:"client_secret"`
	OldEndsAt time.Time `json:"old_expires_at"` // of the secrets before it
}

// rotation is the input of a rotation.
type rotation struct {
	input[store.Client]
	overlap int64 // seconds
}

// ClientSecrets is POST /admin/api/clients/:id/secrets: a new secret; those
// before it are good for an overlap, so that a client can change without a gap.
func (a *Admin) ClientSecrets() fiber.Handler {
	n := a.clients()
	return gate.Handler(a.Gate, gate.Operation[rotation]{
		Action: "client.rotate",
		Parse: func(r *web.Request, in *rotation) *web.Problem {
			if p := n.parseID(r, &in.input); p != nil {
				return p
			}
			return parseOverlap(r, in, defaultOverlap, maxOverlap)
		},
		Facts: func(ctx context.Context, r store.Reader, c *gate.Call, in *rotation) (policies.Resource, policies.Facts, error) {
			return n.facts(ctx, r, c, &in.input)
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *rotation) (*web.Answer, error) {
			client, err := n.find(ctx, tx, &in.input)
			if err != nil {
				return nil, err
			}
			return a.rotate(ctx, tx, c, client, in.overlap)
		},
	})
}

func parseOverlap(r *web.Request, in *rotation, usual, most int64) *web.Problem {
	in.overlap = usual
	if len(r.Body) == 0 {
		return nil
	}
	f, p := web.ParseObject(r.Body)
	if p != nil {
		return p
	}
	if v, ok := f.Int("overlap_s", 0, most); ok {
		in.overlap = v
	}
	return f.Problem()
}

func (a *Admin) rotate(ctx context.Context, tx *store.Tx, c *gate.Call, client *store.Client, overlap int64) (*web.Answer, error) {
	if !oauth2.HasSecret(client) {
		return nil, conflict("This client has no secret: see its token_endpoint_auth_method.")
	}
	ends := store.At(c.Now.Add(time.Duration(overlap) * time.Second))
	if _, err := tx.ExpireClientSecrets(ctx, client.Tenant, client.ID, ends); err != nil {
		return nil, err
	}
	secret, err := a.newSecret(ctx, tx, client, store.At(c.Now))
	if err != nil {
		return nil, err
	}
	return web.JSON(fiber.StatusCreated, secretView{ClientID: client.ID, Secret: secret, OldEndsAt: ends.Time}), nil
}
