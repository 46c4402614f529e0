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

// Grant adds a live grant of a customer to a client, changed by edit.
func Grant(t testing.TB, db *store.DB, tenant, id, client, subject string, edit func(g *store.Grant)) *store.Grant {
	t.Helper()
	now := db.Now()
	g := &store.Grant{
		ID: id, Tenant: tenant, ClientID: client, SubjectType: "customer", Subject: subject, Scopes: store.Words{"points:read", "offline_access"},
		AuthTime: store.At(now.Add(-time.Minute)), AMR: store.Words{"pwd"}, CreatedAt: store.At(now), ExpiresAt: store.At(now.Add(90 * 24 * time.Hour)),
	}
	if edit != nil {
		edit(g)
	}
	Write(t, db, func(tx *store.Tx) error { return tx.InsertGrant(context.Background(), g) })
	return g
}
