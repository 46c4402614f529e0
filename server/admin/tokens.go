package admin

import (
	"context"
	"errors"
	"time"

	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// maxTokenLife bounds the API tokens of people: who left months ago should hold
// nothing that was forgotten.
const maxTokenLife = 90 * 24 * time.Hour

// Tokens is /admin/api/tokens: API tokens of staff.
func (a *Admin) Tokens() Handlers {
	n := a.keyNoun(store.KindToken)
	n.members = func(f *web.Fields, in *input[store.APIKey]) {
		f.Require("staff_id", "name", "scopes")
		notNull(f, "expires_at")
		if v, ok := matching(f, "staff_id", idPattern); ok {
			in.set(func(k *store.APIKey) { k.UserID = v })
		}
		commonKeyMembers(f, in)
	}
	n.insert = func(ctx context.Context, tx *store.Tx, c *gate.Call, k *store.APIKey) (any, error) {
		if k.ExpiresAt.IsZero() {
			k.ExpiresAt = store.At(c.Now.Add(maxTokenLife))
		}
		if err := a.checkToken(ctx, tx, k, c.Now); err != nil {
			return nil, err
		}
		secret := identify(k, authn.TokenPrefix)
		v := viewKey(k)
		v.Token = secret
		return v, tx.InsertAPIKey(ctx, k)
	}
	return n.handlers(a, a.keyList(n, "staff").handler(a))
}

// checkToken: a token can't do more than the roles of its person.
func (a *Admin) checkToken(ctx context.Context, r store.Reader, k *store.APIKey, now time.Time) error {
	person, err := store.GetUser(ctx, r, k.Tenant, k.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound) || (err == nil && person.Type != "staff"):
		return wrong("staff_id", "invalid", "There is no such member of staff.")
	case err != nil:
		return err
	case !person.DisabledAt.IsZero():
		return conflict("The person is switched off.")
	}
	if err := within("scopes", k.Scopes, a.ScopesOf(person.Roles), "None of the person's roles has this scope."); err != nil {
		return err
	}
	if !k.ExpiresAt.After(now) || k.ExpiresAt.After(now.Add(maxTokenLife)) {
		return wrong("expires_at", "out_of_range", "It must be in the future, within 90 days.")
	}
	return nil
}
