package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Client adds a confidential client of all grant types, changed by edit.
func Client(t testing.TB, db *store.DB, tenant, id string, edit func(c *store.Client)) *store.Client {
	t.Helper()
	c := &store.Client{
		Tenant: tenant, ID: id, Name: "The app " + id, RedirectURIs: store.Words{"http://127.0.0.1:9090/callback"},
		GrantTypes:   store.Words{"authorization_code", "refresh_token", "client_credentials"},
		Scopes:       store.Words{"points:read", "points:write", "points:transfer", "offline_access"},
		RefreshGrace: 30, CreatedAt: store.At(db.Now()),
	}
	if edit != nil {
		edit(c)
	}
	Write(t, db, func(tx *store.Tx) error { return tx.InsertClient(context.Background(), c) })
	return c
}

// Grant adds a live grant of tenant demo; of g, what is zero is made that of a
// customer who wants to stay signed in.
func Grant(t testing.TB, db *store.DB, g store.Grant) *store.Grant {
	t.Helper()
	now := db.Now()
	g.Tenant = "demo"
	if g.SubjectType == "" {
		g.SubjectType, g.AuthTime, g.AMR = "customer", store.At(now.Add(-time.Minute)), store.Words{"pwd"}
	}
	if g.Scopes == nil {
		g.Scopes = store.Words{"points:read", "offline_access"}
	}
	if g.Audience == nil {
		g.Audience = store.Words{"http://demo.localhost/api"}
	}
	if g.CreatedAt.IsZero() {
		g.CreatedAt = store.At(now)
	}
	if g.ExpiresAt.IsZero() {
		g.ExpiresAt = store.At(now.Add(90 * 24 * time.Hour))
	}
	Write(t, db, func(tx *store.Tx) error { return tx.InsertGrant(context.Background(), &g) })
	return &g
}
