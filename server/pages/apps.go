package pages

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// listed is how many apps or sessions a page shows, the newest first.
const listed = 100

type appView struct {
	ID, Name string
	Scopes   []string // in plain words
	Since    store.Time
}

// Apps lists what the person has allowed to whom. What was exchanged for an
// app's token ends with the app, and is no app of its own.
func (p *Pages) Apps() fiber.Handler {
	return protect(p, gate.Operation[none]{
		Action: "grant.list",
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, _ *none) (policies.Resource, policies.Facts, error) {
			return own(c, "grant"), nil, nil
		},
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, _ *none) (*web.Answer, error) {
			v, u, err := p.personal(ctx, r, c, "Connected apps")
			if err != nil {
				return nil, err
			}
			all, err := store.Grants(ctx, r, store.GrantFilter{Tenant: u.Tenant, Subject: u.ID, LiveAt: store.At(c.Now), Root: true, Limit: listed})
			if err != nil {
				return nil, err
			}
			v.Page = apps(u.Type, all)
			return page(fiber.StatusOK, "apps", v), nil
		},
	})
}

func apps(person string, all []store.Grant) []appView {
	out := make([]appView, 0, len(all))
	for _, g := range all {
		a := appView{ID: g.ID, Name: g.ClientName, Since: g.CreatedAt, Scopes: words(person, g.Scopes)}
		if a.Name == "" {
			a.Name = g.ClientID
		}
		out = append(out, a)
	}
	return out
}

// words says to a person of this type what scopes let an app do, each to
// complete "it may …".
func words(person string, scopes []string) []string {
	out := make([]string, len(scopes))
	for i, name := range scopes {
		out[i] = name // one that was taken out of the table since
		if s, ok := oauth2.ScopeNamed(name); ok {
			out[i] = s.Words(person)
		}
	}
	return out
}

type revokeInput struct{ grant string }

// RevokeApp takes back one authorization, with every code and token of it.
func (p *Pages) RevokeApp() fiber.Handler {
	return protect(p, gate.Operation[revokeInput]{
		Action: "grant.revoke",
		Parse: func(r *web.Request, in *revokeInput) *web.Problem {
			f, fault := p.signedForm(r)
			in.grant = web.ID(f.Get("grant"))
			return fault
		},
		Facts: func(ctx context.Context, r store.Reader, c *gate.Call, in *revokeInput) (policies.Resource, policies.Facts, error) {
			res := policies.Resource{Type: "grant", ID: in.grant}
			g, err := store.GetGrant(ctx, r, c.Tenant.ID, in.grant)
			if errors.Is(err, store.ErrNotFound) {
				return res, nil, nil
			}
			if err == nil {
				res.Owner, res.Tenant = g.Subject, g.Tenant
			}
			return res, nil, err
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *revokeInput) (*web.Answer, error) {
			return see("/account/apps?done=revoked", "ok"), tx.RevokeGrant(ctx, c.Tenant.ID, in.grant, c.Caller.ID)
		},
	})
}
