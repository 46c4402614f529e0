package admin

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// mostRegistrations is how many clients one token may be good for.
const mostRegistrations = 10_000

type registrationTokenView struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Uses      int64      `json:"uses"`
	MaxUses   int64      `json:"max_uses"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	Token     string     `json:"token,omitempty"` // in the answer that makes it
}

func viewRegistrationToken(t *store.RegistrationToken) registrationTokenView {
	return registrationTokenView{
		ID: t.ID, Name: t.Name, Uses: t.Used, MaxUses: t.Most,
		CreatedAt: t.CreatedAt.Time, ExpiresAt: when(t.ExpiresAt), RevokedAt: when(t.RevokedAt),
	}
}

// RegistrationTokens is /admin/api/registration-tokens: the initial access
// tokens of RFC 7591 §3, with which strangers may register clients where the
// tenant demands one.
func (a *Admin) RegistrationTokens() Handlers {
	view := func(t *store.RegistrationToken) any { return viewRegistrationToken(t) }
	n := &noun[store.RegistrationToken]{
		name: "registration_token", end: "revoke", view: view, members: registrationTokenMembers, insert: insertRegistrationToken,
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.RegistrationToken, error) {
			return store.GetRegistrationToken(ctx, r, t.ID, id)
		},
		id: func(t *store.RegistrationToken) string { return t.ID },
		fresh: func(c *gate.Call) *store.RegistrationToken {
			return &store.RegistrationToken{Tenant: c.Tenant.ID, ID: a.newID("reg_"), CreatedAt: store.At(c.Now), Most: 1}
		},
		remove: func(ctx context.Context, tx *store.Tx, _ *gate.Call, t *store.RegistrationToken) error {
			return tx.RevokeRegistrationToken(ctx, t.Tenant, t.ID)
		},
	}
	l := &list[store.RegistrationToken, struct{}]{
		name: n.name, filter: none, view: view,
		place: func(t *store.RegistrationToken) place { return place{ID: t.ID} },
		rows: func(ctx context.Context, r store.Reader, q *query[struct{}]) ([]store.RegistrationToken, error) {
			return store.RegistrationTokens(ctx, r, q.tenant.ID, q.after.ID, q.limit)
		},
	}
	return n.handlers(a, l.handler(a))
}

func registrationTokenMembers(f *web.Fields, in *input[store.RegistrationToken]) {
	f.Require("name")
	notNull(f, "name", "max_uses")
	if v, ok := line(f, "name"); ok {
		in.set(func(t *store.RegistrationToken) { t.Name = v })
	}
	if v, ok := f.Int("max_uses", 1, mostRegistrations); ok {
		in.set(func(t *store.RegistrationToken) { t.Most = v })
	}
	if v, ok := expiry(f, "expires_at"); ok {
		in.set(func(t *store.RegistrationToken) { t.ExpiresAt = v })
	}
}

func insertRegistrationToken(ctx context.Context, tx *store.Tx, c *gate.Call, t *store.RegistrationToken) (any, error) {
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(c.Now) {
		return nil, wrong("expires_at", "out_of_range", "It must be in the future.")
	}
	secret := oauth2.NewInitialToken()
	t.Hash = oauth2.HashSecret(secret)
	v := viewRegistrationToken(t)
	v.Token = secret
	return v, tx.InsertRegistrationToken(ctx, t)
}
