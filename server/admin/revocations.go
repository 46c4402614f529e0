package admin

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// revocation says whose credentials end; empty fields do not narrow.
type revocation struct {
	tenant string // always set
	client string
	person string
	before store.Time // only those made before it; what a grant gave later goes with it
}

// counts are how many ended. Tokens are usable access and refresh tokens, and
// API keys and tokens.
type counts struct {
	Grants   int64 `json:"grants"`
	Sessions int64 `json:"sessions"`
	Tokens   int64 `json:"tokens"`
}

// endAll ends grants, sessions, keys and tokens at once, and forgets what people
// consented to. A session has no client, and an API key no person who gave it to
// a client: where both are asked for, there are only grants.
func endAll(ctx context.Context, tx *store.Tx, s revocation, by string) (n counts, err error) {
	n.Grants, n.Tokens, err = tx.RevokeGrants(ctx, store.GrantMatch{Tenant: s.tenant, Client: s.client, Subject: s.person, IssuedBefore: s.before}, by)
	if err != nil {
		return counts{}, err
	}
	if err := tx.Forget(ctx, store.ConsentMatch{Tenant: s.tenant, Client: s.client, User: s.person, Before: s.before}); err != nil {
		return counts{}, err
	}
	if s.client == "" {
		n.Sessions, err = tx.EndSessions(ctx, store.SessionMatch{Tenant: s.tenant, User: s.person, Before: s.before})
		if err != nil {
			return counts{}, err
		}
	}
	keys, err := tx.RevokeAPIKeys(ctx, store.APIKeyMatch{Tenant: s.tenant, Client: s.client, User: s.person, Before: s.before})
	n.Tokens += keys
	return n, err
}

// Revocations is POST /admin/api/revocations: many authorizations at once.
func (a *Admin) Revocations() fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[revocation]{
		Action: "revocation.create", Parse: parseRevocation,
		Facts: func(context.Context, store.Reader, *gate.Call, *revocation) (policies.Resource, policies.Facts, error) {
			return policies.Resource{Type: "revocation"}, nil, nil
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, s *revocation) (*web.Answer, error) {
			if err := s.known(ctx, tx); err != nil {
				return nil, err
			}
			n, err := endAll(ctx, tx, *s, c.Caller.ID)
			if err != nil {
				return nil, err
			}
			return web.JSON(fiber.StatusCreated, n), nil
		},
	})
}

func parseRevocation(r *web.Request, s *revocation) *web.Problem {
	if p := noQuery(r); p != nil {
		return p
	}
	f, p := web.ParseObject(r.Body)
	if p != nil {
		return p
	}
	s.tenant = r.Tenant.ID
	if !f.Has("client") && !f.Has("customer") && !f.Has("tenant") && !f.Has("issued_before") {
		f.Wrong("client", "required", "One of client, customer, tenant and issued_before is needed.")
	}
	s.client, _ = matching(f, "client", idPattern)
	s.person, _ = matching(f, "customer", idPattern)
	if t, ok := f.String("tenant", 64); ok && t != r.Tenant.ID {
		f.Wrong("tenant", "out_of_range", "It must be this tenant.")
	}
	before, _ := f.Time("issued_before")
	s.before = store.At(before)
	return f.Problem()
}

// known refuses a client or person that is not there: whoever mistypes a name
// in an emergency must not be told that all is well.
func (s *revocation) known(ctx context.Context, r store.Reader) error {
	if s.client != "" {
		if _, err := store.GetClient(ctx, r, s.tenant, s.client); err != nil {
			return err
		}
	}
	if s.person != "" {
		if _, err := store.GetUser(ctx, r, s.tenant, s.person); err != nil {
			return err
		}
	}
	return nil
}
