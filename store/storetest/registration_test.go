package storetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestRegistrationTokens(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		now := db.Now()
		insert := func(id string, edit func(*store.RegistrationToken)) *store.RegistrationToken {
			r := &store.RegistrationToken{ID: id, Tenant: "demo", Name: "the " + id, Hash: []byte(id), CreatedAt: store.At(now), Most: 2}
			edit(r)
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.InsertRegistrationToken(ctx, r) })
			return r
		}
		a := insert("reg_a", func(r *store.RegistrationToken) { r.ExpiresAt = store.At(now.Add(time.Hour)) })
		insert("reg_b", func(r *store.RegistrationToken) { r.ExpiresAt = store.At(now.Add(-time.Second)) })
		insert("reg_c", func(*store.RegistrationToken) {})
		got, err := store.RegistrationTokenWith(ctx, db, "demo", []byte("reg_a"))
		if diff := cmp.Diff(a, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		if _, err := store.RegistrationTokenWith(ctx, db, "other", []byte("reg_a")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another tenant's: %v", err)
		}
		if _, err := store.GetRegistrationToken(ctx, db, "other", "reg_a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another tenant's: %v", err)
		}
		if all, err := store.RegistrationTokens(ctx, db, "demo", "reg_a", 9); err != nil || len(all) != 2 {
			t.Errorf("%d %v", len(all), err)
		}
		use := func(tenant, id string) (ok bool) {
			storetest.Write(t, db, func(tx *store.Tx) (err error) { ok, err = tx.UseRegistrationToken(ctx, tenant, id); return err })
			return ok
		}
		for i, want := range []bool{true, true, false} {
			if use("demo", "reg_a") != want {
				t.Errorf("use %d: want %v", i, want)
			}
		}
		if use("demo", "reg_b") || use("other", "reg_c") || use("demo", "reg_none") {
			t.Error("used what is over, another's, or nothing")
		}
		for range 2 {
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.RevokeRegistrationToken(ctx, "demo", "reg_c") })
		}
		if use("demo", "reg_c") {
			t.Error("used what is revoked")
		}
		err = db.Write(ctx, func(tx *store.Tx) error { return tx.RevokeRegistrationToken(ctx, "other", "reg_a") })
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("revoked another's: %v", err)
		}
	})
}

func TestUnusedClientsAreThoseOfStrangersWithoutAGrant(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		now := db.Now()
		old := func(by string) func(*store.Client) {
			return func(c *store.Client) { c.RegisteredBy, c.CreatedAt = by, store.At(now.Add(-2*time.Hour)) }
		}
		storetest.Client(t, db, "demo", "unused", old("dynamic"))
		storetest.Client(t, db, "demo", "used", old("dynamic"))
		storetest.Client(t, db, "demo", "admins", old("admin"))
		storetest.Client(t, db, "demo", "developers", func(c *store.Client) { old("developer")(c); c.Owner = "cus_a" })
		storetest.Client(t, db, "demo", "new", func(c *store.Client) { c.RegisteredBy = "dynamic" })
		storetest.Client(t, db, "demo", "off", func(c *store.Client) { old("document")(c); c.DisabledAt = store.At(now) })
		storetest.Client(t, db, "demo", "https://app.example/client", old("document"))
		storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "used", Subject: "cus_a"})
		before := store.At(now.Add(-time.Hour))
		all, err := store.UnusedClients(ctx, db, before, 9)
		var ids []string
		for _, c := range all {
			ids = append(ids, c.ID)
		}
		if diff := cmp.Diff([]string{"https://app.example/client", "unused"}, slices.Sorted(slices.Values(ids))); err != nil || diff != "" {
			t.Error(err, diff)
		}
		for id, want := range map[string]bool{"unused": true, "used": false, "new": false, "off": false, "admins": false, "none": false} {
			var gone bool
			storetest.Write(t, db, func(tx *store.Tx) (err error) { gone, err = tx.DeleteUnusedClient(ctx, "demo", id, before); return err })
			if gone != want {
				t.Errorf("%s: gone %v", id, gone)
			}
		}
		if n, err := store.CountClients(ctx, db, "demo", "dynamic", ""); err != nil || n != 2 {
			t.Errorf("%d left, %v", n, err)
		}
		if n, err := store.CountClients(ctx, db, "demo", "developer", "cus_a"); err != nil || n != 1 {
			t.Errorf("%d of cus_a, %v", n, err)
		}
		mine, err := store.OwnedClients(ctx, db, "demo", "cus_a", 9)
		if err != nil || len(mine) != 1 || mine[0].ID != "developers" {
			t.Errorf("%v %v", mine, err)
		}
		if none, err := store.OwnedClients(ctx, db, "demo", "", 9); err != nil || len(none) != 0 {
			t.Errorf("%v %v", none, err)
		}
	})
}

func TestKeepDocument(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Client(t, db, "demo", "https://admin.example/app", nil)
		keep := func(c store.Client) (ok bool) {
			storetest.Write(t, db, func(tx *store.Tx) (err error) { ok, err = tx.KeepDocument(ctx, &c); return err })
			return ok
		}
		now := db.Now()
		c := store.Client{
			Tenant: "demo", ID: "https://app.example/client", Name: "App", Public: true, AuthMethod: "none", RedirectURIs: store.Words{"https://app.example/cb"},
			GrantTypes: store.Words{"authorization_code"}, Scopes: store.Words{"points:read"}, CreatedAt: store.At(now), RegisteredBy: "document", FreshUntil: store.At(now.Add(time.Hour)),
		}
		if !keep(c) {
			t.Fatal("not made")
		}
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.DisableClient(ctx, "demo", c.ID) })
		renewed := c
		renewed.Name, renewed.FreshUntil, renewed.RedirectURIs = "New", store.At(now.Add(2*time.Hour)), store.Words{"https://app.example/new"}
		if !keep(renewed) {
			t.Error("not renewed")
		}
		got, err := store.GetClient(ctx, db, "demo", c.ID)
		if err != nil || got.DisabledAt.IsZero() || got.Name != "New" || got.FreshUntil != renewed.FreshUntil || got.RedirectURIs[0] != "https://app.example/new" {
			t.Errorf("%+v %v", got, err)
		}
		taken := c
		taken.ID = "https://admin.example/app"
		if keep(taken) {
			t.Error("took the place of another client")
		}
	})
}
