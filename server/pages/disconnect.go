package pages

import (
	"context"
	"errors"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type revokeInput struct {
	client string
	grants []string // that are live
}

// named is how many of the grants that end the record names; all of them end.
const named = 50

// RevokeApp disconnects one app: every authorization that the person gave it
// ends with its codes and tokens, and what they consented to is forgotten.
func (p *Pages) RevokeApp() fiber.Handler {
	return protect(p, gate.Operation[revokeInput]{
		Action: "grant.revoke",
		Parse: func(r *web.Request, in *revokeInput) *web.Problem {
			f, fault := p.signedForm(r)
			in.client = web.ID(f.Get("client"))
			return fault
		},
		Facts: func(ctx context.Context, r store.Reader, c *gate.Call, in *revokeInput) (policies.Resource, policies.Facts, error) {
			res := policies.Resource{Type: "grant", ID: in.client}
			theirs, err := connected(ctx, r, c, in)
			if err != nil || !theirs {
				return res, nil, err
			}
			res.Owner, res.Tenant = c.Caller.ID, c.Caller.Tenant
			return res, policies.Facts{"grants": in.grants}, nil
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *revokeInput) (*web.Answer, error) {
			_, _, err := tx.RevokeGrants(ctx, store.GrantMatch{Tenant: c.Caller.Tenant, Client: in.client, Subject: c.Caller.ID}, c.Caller.ID)
			forgotten := tx.Forget(ctx, store.ConsentMatch{Tenant: c.Caller.Tenant, Client: in.client, User: c.Caller.ID})
			return see("/account/apps?done=revoked", "ok"), errors.Join(err, forgotten)
		},
	})
}

// connected reports whether the caller has, or had, anything to do with the app,
// and notes the grants that would end.
func connected(ctx context.Context, r store.Reader, c *gate.Call, in *revokeInput) (bool, error) {
	if in.client == "" {
		return false, nil
	}
	f := store.GrantFilter{Tenant: c.Caller.Tenant, Client: in.client, Subject: c.Caller.ID, Limit: 1}
	ever, err1 := store.Grants(ctx, r, f)
	f.LiveAt, f.Limit = store.At(c.Now), named
	live, err2 := store.Grants(ctx, r, f)
	consents, err3 := store.Consents(ctx, r, c.Caller.Tenant, c.Caller.ID, maxGrants)
	in.grants = []string{}
	for _, g := range live {
		in.grants = append(in.grants, g.ID)
	}
	remembered := slices.ContainsFunc(consents, func(k store.Consent) bool { return k.ClientID == in.client })
	return remembered || len(ever) > 0, errors.Join(err1, err2, err3)
}
