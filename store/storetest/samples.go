package storetest

import (
	"context"
	"testing"

	"github.com/pointgate/pointgate/store"
)

// Write runs fn in a write of its own and fails the test on an error.
func Write(t testing.TB, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(context.Background(), fn); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// Tenant adds a tenant with this id, at the host ID.localhost.
func Tenant(t testing.TB, db *store.DB, id string) *store.Tenant {
	t.Helper()
	tenant := &store.Tenant{ID: id, Name: id, Issuer: "http://" + id + ".localhost", Hostnames: store.Words{id + ".localhost"}, CreatedAt: store.At(db.Now())}
	Write(t, db, func(tx *store.Tx) error { return tx.InsertTenant(context.Background(), tenant) })
	if err := db.LoadTenants(context.Background()); err != nil {
		t.Fatal(err)
	}
	return tenant
}

// User adds a customer ("cus_…") or, with roles, a member of staff.
func User(t testing.TB, db *store.DB, tenant, id string, roles ...string) *store.User {
	t.Helper()
	u := &store.User{Tenant: tenant, ID: id, Type: "customer", Email: id + "@" + tenant + ".example", Name: id, CreatedAt: store.At(db.Now())}
	if len(roles) > 0 {
		u.Type, u.Roles = "staff", roles
	}
	Write(t, db, func(tx *store.Tx) error { return tx.InsertUser(context.Background(), u) })
	return u
}
