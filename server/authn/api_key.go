package authn

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// APIKey is the method of clients' keys (pgk_), as Bearer or in X-API-Key. The
// caller is the client: trusted as it is, with the scopes that both have.
type APIKey struct{ Keys Keys }

// Keys reads the rows of API keys.
type Keys struct {
	Store *store.DB
	Now   func() time.Time
}

// Name implements [Method].
func (APIKey) Name() string { return "api_key" }

// Find implements [Method].
func (APIKey) Find(c *Credentials) bool {
	return c.bearer(KeyPrefix) || c.Scheme == schemeAPIKey && strings.HasPrefix(c.Secret, KeyPrefix)
}

// Authenticate implements [Method].
func (m APIKey) Authenticate(ctx context.Context, c *Credentials) (web.Caller, error) {
	h, status, err := m.Keys.holder(ctx, c.Secret)
	if h == nil {
		return web.Anonymous(m.Name(), status), err
	}
	return web.Caller{
		Method: m.Name(), Status: status, Type: "client", ID: h.ClientID, Tenant: h.Tenant,
		Scopes: common(h.Scopes, h.ClientScopes), ClientID: h.ClientID, Trusted: h.Trusted,
		IssuedAt: h.CreatedAt.Time, GrantID: h.ID,
	}, err
}

// holder finds the row of a secret. It is nil where the secret is not proven;
// then nothing of the row is told.
func (k Keys) holder(ctx context.Context, secret string) (*store.KeyHolder, web.Status, error) {
	id, ok := rowID(secret)
	if !ok {
		return nil, web.Invalid, nil
	}
	h, err := k.Store.HolderOf(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, web.Invalid, nil
	}
	if err != nil {
		return nil, "", err
	}
	if subtle.ConstantTimeCompare(h.Hash, digest(secret)) != 1 {
		return nil, web.Invalid, nil
	}
	status := statusOf(h, k.Now())
	if status == web.Valid {
		err = k.touch(ctx, h)
	}
	return h, status, err
}

func statusOf(h *store.KeyHolder, now time.Time) web.Status {
	switch {
	case !h.RevokedAt.IsZero(), !h.HolderThere, !h.HolderDisabled.IsZero():
		return web.Revoked
	case !h.ExpiresAt.IsZero() && !now.Before(h.ExpiresAt.Time):
		return web.Expired
	}
	return web.Valid
}

// touch notes the use, at most once a minute.
func (k Keys) touch(ctx context.Context, h *store.KeyHolder) error {
	now := k.Now()
	before := store.At(now.Add(-seenEvery))
	if !h.LastUsedAt.IsZero() && !h.LastUsedAt.Before(before.Time) {
		return nil
	}
	err := k.Store.Write(ctx, func(tx *store.Tx) error { return tx.TouchAPIKey(ctx, h.ID, before, store.At(now)) })
	return heeded(err)
}

// heeded is the error of a note of use, unless nothing can be written at all:
// then the gate says so, in the words of the contract.
func heeded(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		return nil
	}
	return err
}

// common is the words of a that b has too.
func common(a, b []string) []string {
	var out []string
	for _, w := range a {
		if slices.Contains(b, w) {
			out = append(out, w)
		}
	}
	return out
}
