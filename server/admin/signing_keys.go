package admin

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// SigningKeys makes and reads the keys that sign tokens.
type SigningKeys interface {
	// FreshKeys makes a key of each algorithm; of none, of those that the tenant has.
	FreshKeys(tenant string, algs []string) ([]*store.SigningKey, error)
	// RotateKeys adds them; each signs after the lead.
	RotateKeys(ctx context.Context, tx *store.Tx, fresh []*store.SigningKey, lead time.Duration) error
	// LoadKeys reads all keys anew.
	LoadKeys(ctx context.Context) error
}

type signingKeyView struct {
	ID        string          `json:"id"` // the kid of its tokens
	Alg       string          `json:"alg"`
	Status    string          `json:"status"`
	CreatedAt time.Time       `json:"created_at"`
	SignsFrom time.Time       `json:"signs_from"`
	RetiredAt *time.Time      `json:"retired_at"` // when it ends, or ended, to sign
	EndsAt    *time.Time      `json:"ends_at"`    // when it is no longer published
	JWK       json.RawMessage `json:"jwk"`        // the public half
}

func (a *Admin) viewSigningKey(k *store.SigningKey) any {
	return signingKeyView{
		ID: k.ID, Alg: k.Alg, Status: statusOfKey(k, a.Store.Now()), CreatedAt: k.CreatedAt.Time, SignsFrom: k.SignsFrom.Time,
		RetiredAt: when(k.RetiredAt), EndsAt: when(k.EndsAt), JWK: json.RawMessage(k.PublicJWK),
	}
}

// statusOfKey is where a key is in its life: waiting and published, signing,
// retired and published, ended, or revoked.
func statusOfKey(k *store.SigningKey, now time.Time) string {
	past := func(t store.Time) bool { return !t.IsZero() && !now.Before(t.Time) }
	switch {
	case k.Revoked():
		return "revoked"
	case past(k.EndsAt):
		return "ended"
	case past(k.RetiredAt):
		return "retired"
	case past(k.SignsFrom):
		return "signing"
	}
	return "waiting"
}

// SigningKeys is /admin/api/signing-keys: those of the tenant, and how they are
// replaced. DELETE is for a key that is in wrong hands: nothing that it has signed
// is good any more.
func (a *Admin) SigningKeys() Handlers {
	n := &noun[store.SigningKey]{
		name: "signing_key", end: "revoke", view: a.viewSigningKey,
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.SigningKey, error) {
			return store.GetSigningKey(ctx, r, t.ID, id)
		},
		id: func(k *store.SigningKey) string { return k.ID },
		remove: func(ctx context.Context, tx *store.Tx, c *gate.Call, k *store.SigningKey) error {
			if !k.EndsAt.IsZero() && !c.Now.Before(k.EndsAt.Time) {
				return nil // it has ended
			}
			return tx.RevokeSigningKey(ctx, k.Tenant, k.ID)
		},
	}
	all := &list[store.SigningKey, struct{}]{
		name: n.name, view: n.view, filter: none,
		place: func(k *store.SigningKey) place { return place{ID: k.ID} },
		rows: func(ctx context.Context, r store.Reader, q *query[struct{}]) ([]store.SigningKey, error) {
			return store.TenantSigningKeys(ctx, r, q.tenant.ID, q.after.ID, q.limit)
		},
	}
	h := n.handlers(a, all.handler(a))
	h.Create, h.Delete = a.thenLoadKeys(a.rotateSigningKeys()), a.thenLoadKeys(h.Delete)
	return h
}

// newSigningKeys is the input of a rotation.
type newSigningKeys struct {
	algs  []string
	lead  time.Duration
	fresh []*store.SigningKey
}

// rotateSigningKeys is POST: a new key of one algorithm, or of each that the
// tenant has, which is published at once and signs after a lead.
func (a *Admin) rotateSigningKeys() fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[newSigningKeys]{
		Action: "signing_key.rotate", Parse: parseRotation,
		Facts: func(context.Context, store.Reader, *gate.Call, *newSigningKeys) (policies.Resource, policies.Facts, error) {
			return policies.Resource{Type: "signing_key"}, nil, nil
		},
		Prepare: func(_ context.Context, c *gate.Call, in *newSigningKeys) (err error) {
			in.fresh, err = a.Signing.FreshKeys(c.Tenant.ID, in.algs)
			return err
		},
		Effect: func(ctx context.Context, tx *store.Tx, _ *gate.Call, in *newSigningKeys) (*web.Answer, error) {
			if err := a.Signing.RotateKeys(ctx, tx, in.fresh, in.lead); err != nil {
				return nil, err
			}
			out := web.List[any]{Data: []any{}}
			for _, k := range in.fresh {
				out.Data = append(out.Data, a.viewSigningKey(k))
			}
			return web.JSON(fiber.StatusCreated, out), nil
		},
	})
}

func parseRotation(r *web.Request, in *newSigningKeys) *web.Problem {
	in.lead = oauth2.KeyLead
	if p := noQuery(r); p != nil || len(r.Body) == 0 {
		return p
	}
	f, p := web.ParseObject(r.Body)
	if p != nil {
		return p
	}
	if alg, ok := f.String("alg", 16); ok {
		in.algs = []string{alg}
		if !slices.Contains(oauth2.SigningAlgs, alg) {
			f.Wrong("alg", "invalid", "It must be ES256, RS256 or EdDSA.")
		}
	}
	if s, ok := f.Int("lead_s", 0, int64(oauth2.MaxKeyLead/time.Second)); ok {
		in.lead = time.Duration(s) * time.Second
	}
	return f.Problem()
}

// thenLoadKeys reads the keys into memory again after a change, before its answer
// leaves.
func (a *Admin) thenLoadKeys(change fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := change(c); err != nil || c.Response().StatusCode() >= fiber.StatusBadRequest {
			return err
		}
		if err := a.Signing.LoadKeys(c.UserContext()); err != nil {
			web.EventOf(c).Fail(err) // the change stands; the next load of the clock sees it
		}
		return nil
	}
}
