package pages

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type tokenView struct {
	store.APIKey
	May []string // its scopes, in plain words
}

// choice is one thing that may be picked in a form.
type choice struct {
	Value, Text string
	Picked      bool
}

type tokensView struct {
	Tokens       []tokenView
	Name         string // as it is typed
	Scopes, Days []choice
}

// Tokens lists the person's own API tokens, and has the form to make one.
func (p *Pages) Tokens() fiber.Handler {
	return protect(p, gate.Operation[none]{
		Action: "token.list",
		Facts: func(_ context.Context, _ store.Reader, c *gate.Call, _ *none) (policies.Resource, policies.Facts, error) {
			return own(c, "token"), nil, nil
		},
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, _ *none) (*web.Answer, error) {
			return p.tokensPage(ctx, r, c, &tokenForm{Days: usualDays}, nil)
		},
	})
}

// tokensPage shows the list and the form as it is filled in; refused is why
// nothing was made of it, or nil.
func (p *Pages) tokensPage(ctx context.Context, r store.Reader, c *gate.Call, in *tokenForm, refused *web.Problem) (*web.Answer, error) {
	v, u, err := p.personal(ctx, r, c, "API tokens")
	if err != nil {
		return nil, err
	}
	live, err := liveTokens(ctx, r, c, listed)
	if err != nil {
		return nil, err
	}
	v.Page = tokensView{Tokens: tokens(u.Type, live), Name: in.Name, Scopes: in.scopes(u.Type, p.ScopesOf(u.Roles)), Days: in.lifetimes()}
	if refused == nil {
		return page(fiber.StatusOK, "tokens", v), nil
	}
	v.Alert = refused.Detail
	a := page(refused.Status, "tokens", v)
	a.Code = refused.Code
	return a, nil
}

// liveTokens are the person's, so many at most.
func liveTokens(ctx context.Context, r store.Reader, c *gate.Call, most int) ([]store.APIKey, error) {
	return store.APIKeys(ctx, r, store.APIKeyFilter{
		Tenant: c.Tenant.ID, Kind: store.KindToken, User: c.Caller.ID, LiveAt: store.At(c.Now), Limit: most,
	})
}

// tokens are the rows of the list, the newest first.
func tokens(person string, all []store.APIKey) []tokenView {
	slices.SortStableFunc(all, func(a, b store.APIKey) int { return b.CreatedAt.Compare(a.CreatedAt.Time) })
	out := make([]tokenView, len(all))
	for i, k := range all {
		out[i] = tokenView{k, words(person, k.Scopes)}
	}
	return out
}

func (in *tokenForm) scopes(person string, may []string) []choice {
	out := make([]choice, len(may))
	for i, text := range words(person, may) {
		out[i] = choice{may[i], text, slices.Contains(in.Scopes, may[i])}
	}
	return out
}

func (in *tokenForm) lifetimes() []choice {
	out := make([]choice, len(days))
	for i, n := range days {
		out[i] = choice{strconv.Itoa(n), strconv.Itoa(n) + " days", n == in.Days}
	}
	return out
}

// RevokeToken ends one of the person's API tokens.
func (p *Pages) RevokeToken() fiber.Handler {
	return protect(p, gate.Operation[endInput]{
		Action: "token.revoke",
		Parse: func(r *web.Request, in *endInput) *web.Problem {
			f, fault := p.signedForm(r)
			in.id = web.ID(f.Get("token"))
			return fault
		},
		Facts: func(ctx context.Context, r store.Reader, c *gate.Call, in *endInput) (policies.Resource, policies.Facts, error) {
			res := policies.Resource{Type: "token", ID: in.id}
			k, err := store.GetAPIKey(ctx, r, c.Tenant.ID, in.id)
			if errors.Is(err, store.ErrNotFound) || (err == nil && k.Kind != store.KindToken) {
				return res, nil, nil
			}
			if err == nil {
				res.Owner, res.Tenant = k.UserID, k.Tenant
			}
			return res, nil, err
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *endInput) (*web.Answer, error) {
			err := tx.RevokeAPIKey(ctx, c.Tenant.ID, in.id)
			if errors.Is(err, store.ErrNotFound) {
				err = nil // revoked already: as the person wants it
			}
			return see("/account/tokens?done=token", "ok"), err
		},
	})
}
