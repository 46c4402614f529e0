package admin

import (
	"context"
	"errors"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type keyView struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	ClientID   string     `json:"client_id,omitempty"` // of a key
	StaffID    string     `json:"staff_id,omitempty"`  // of a token
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	Key        string     `json:"key,omitempty"`   // in the answer that makes it
	Token      string     `json:"token,omitempty"` // in the answer that makes it
}

func viewKey(k *store.APIKey) keyView {
	return keyView{
		ID: k.ID, Name: k.Name, ClientID: k.ClientID, StaffID: k.UserID, Scopes: shown(k.Scopes),
		CreatedAt: k.CreatedAt.Time, ExpiresAt: when(k.ExpiresAt), RevokedAt: when(k.RevokedAt), LastUsedAt: when(k.LastUsedAt),
	}
}

// Keys is /admin/api/keys: API keys of clients.
func (a *Admin) Keys() Handlers {
	n := a.keyNoun(store.KindKey)
	n.members = keyMembers
	n.insert = func(ctx context.Context, tx *store.Tx, c *gate.Call, k *store.APIKey) (any, error) {
		if err := checkKey(ctx, tx, k, c.Now); err != nil {
			return nil, err
		}
		secret := identify(k, authn.KeyPrefix)
		v := viewKey(k)
		v.Key = secret
		return v, tx.InsertAPIKey(ctx, k)
	}
	n.update = func(ctx context.Context, tx *store.Tx, c *gate.Call, was, k *store.APIKey) error {
		if !was.RevokedAt.IsZero() {
			return conflict("The key is revoked.")
		}
		if err := checkKey(ctx, tx, k, c.Now); err != nil {
			return err
		}
		return tx.UpdateAPIKey(ctx, k)
	}
	return n.handlers(a, a.keyList(n, "client").handler(a))
}

// keyNoun is what keys and tokens have in common.
func (a *Admin) keyNoun(kind string) *noun[store.APIKey] {
	return &noun[store.APIKey]{
		name: kind, end: "revoke",
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.APIKey, error) {
			k, err := store.GetAPIKey(ctx, r, t.ID, id)
			if err == nil && k.Kind != kind {
				return nil, store.ErrNotFound
			}
			return k, err
		},
		owner: func(k *store.APIKey) string { return k.UserID },
		id:    func(k *store.APIKey) string { return k.ID },
		view:  func(k *store.APIKey) any { return viewKey(k) },
		fresh: func(c *gate.Call) *store.APIKey {
			return &store.APIKey{Tenant: c.Tenant.ID, CreatedAt: store.At(c.Now)}
		},
		remove: func(ctx context.Context, tx *store.Tx, _ *gate.Call, k *store.APIKey) error {
			if !k.RevokedAt.IsZero() {
				return nil
			}
			return tx.RevokeAPIKey(ctx, k.Tenant, k.ID)
		},
	}
}

// keyList lists keys or tokens, those of one holder where that is asked for.
func (a *Admin) keyList(n *noun[store.APIKey], holder string) *list[store.APIKey, string] {
	return &list[store.APIKey, string]{
		name: n.name, view: n.view,
		place:  func(k *store.APIKey) place { return place{ID: k.ID} },
		filter: func(f *web.Fields) string { id, _ := matching(f, holder, idPattern); return id },
		rows: func(ctx context.Context, r store.Reader, q *query[string]) ([]store.APIKey, error) {
			f := store.APIKeyFilter{Tenant: q.tenant.ID, Kind: n.name, After: q.after.ID, Limit: q.limit}
			if n.name == store.KindKey {
				f.Client = q.filter
			} else {
				f.User = q.filter
			}
			return store.APIKeys(ctx, r, f)
		},
	}
}

// identify gives the row its id, kind and hash, and returns the secret.
func identify(k *store.APIKey, prefix string) (secret string) {
	secret, row := authn.NewKey(prefix)
	k.ID, k.Kind, k.Hash = row.ID, row.Kind, row.Hash
	return secret
}

func keyMembers(f *web.Fields, in *input[store.APIKey]) {
	if in.created {
		f.Require("client_id", "name", "scopes")
		if v, ok := matching(f, "client_id", idPattern); ok {
			in.set(func(k *store.APIKey) { k.ClientID = v })
		}
	}
	commonKeyMembers(f, in)
}

func commonKeyMembers(f *web.Fields, in *input[store.APIKey]) {
	notNull(f, "name", "scopes")
	if v, ok := line(f, "name"); ok {
		in.set(func(k *store.APIKey) { k.Name = v })
	}
	if v, ok := words(f, "scopes"); ok {
		if len(v) == 0 && !f.Null("scopes") {
			f.Wrong("scopes", "out_of_range", "At least one is needed.")
		}
		in.set(func(k *store.APIKey) { k.Scopes = v })
	}
	if v, ok := expiry(f, "expires_at"); ok {
		in.set(func(k *store.APIKey) { k.ExpiresAt = v })
	}
}

// checkKey: a key can't do more than its client, nor what only people may.
func checkKey(ctx context.Context, r store.Reader, k *store.APIKey, now time.Time) error {
	client, err := store.GetClient(ctx, r, k.Tenant, k.ClientID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return wrong("client_id", "invalid", "There is no such client.")
	case err != nil:
		return err
	case !client.DisabledAt.IsZero():
		return conflict("The client is switched off.")
	}
	var allowed []string
	for _, s := range client.Scopes {
		if oauth2.MayHold("client", s) {
			allowed = append(allowed, s)
		}
	}
	if err := within("scopes", k.Scopes, allowed, "The client can't have this scope for itself."); err != nil {
		return err
	}
	if !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now) {
		return wrong("expires_at", "out_of_range", "It must be in the future.")
	}
	return nil
}
