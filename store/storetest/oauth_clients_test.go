package storetest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestClients(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		storetest.User(t, db, "demo", "cus_alice")
		web := storetest.Client(t, db, "demo", "web", func(c *store.Client) {
			c.Trusted, c.Origins, c.Introspects = true, store.Words{"https://app.example"}, store.Words{"http://demo.localhost/api"}
			c.Resources, c.LogoutURIs, c.RegisteredBy = store.Words{"https://mcp.example"}, store.Words{"https://app.example/bye"}, "admin"
		})
		storetest.Client(t, db, "demo", "spa", func(c *store.Client) { c.Public = true })
		storetest.Client(t, db, "other", "web", nil)

		t.Run("what was written is read", func(t *testing.T) {
			got, err := store.GetClient(ctx, db, "demo", "web")
			if diff := cmp.Diff(web, got); err != nil || diff != "" {
				t.Errorf("err %v, diff %s", err, diff)
			}
		})
		t.Run("a list is one tenant's, by id, in pages", func(t *testing.T) {
			first, err1 := store.Clients(ctx, db, "demo", "", 1)
			second, err2 := store.Clients(ctx, db, "demo", "spa", 9)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if len(first) != 1 || first[0].ID != "spa" || len(second) != 1 || second[0].ID != "web" || second[0].Tenant != "demo" {
				t.Errorf("got %v, then %v", first, second)
			}
		})
		t.Run("an id is taken once, by a client or a person", func(t *testing.T) {
			for _, id := range []string{"web", "cus_alice"} {
				err := db.Write(ctx, func(tx *store.Tx) error {
					return tx.InsertClient(ctx, &store.Client{Tenant: "demo", ID: id, CreatedAt: tx.Now()})
				})
				if !errors.Is(err, store.ErrExists) {
					t.Errorf("%s: got %v, want ErrExists", id, err)
				}
			}
		})
		t.Run("an update writes what may change", func(t *testing.T) {
			change := *web
			change.Name, change.Public, change.RefreshGrace = "New", true, 5
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.UpdateClient(ctx, &change) })
			want := change
			want.Public = false
			if got, err := store.GetClient(ctx, db, "demo", "web"); err != nil || cmp.Diff(&want, got) != "" {
				t.Errorf("err %v, diff %s", err, cmp.Diff(&want, got))
			}
			err := db.Write(ctx, func(tx *store.Tx) error { return tx.UpdateClient(ctx, &store.Client{Tenant: "demo", ID: "none"}) })
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("of none: got %v, want ErrNotFound", err)
			}
		})
		t.Run("a disabled client keeps its first time", func(t *testing.T) {
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.DisableClient(ctx, "demo", "spa") })
			first, _ := store.GetClient(ctx, db, "demo", "spa")
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.DisableClient(ctx, "demo", "spa") })
			again, err := store.GetClient(ctx, db, "demo", "spa")
			if err != nil || first.DisabledAt.IsZero() || !first.DisabledAt.Equal(again.DisabledAt.Time) {
				t.Errorf("err %v, first %v, again %v", err, first.DisabledAt, again.DisabledAt)
			}
		})
	})
}

func TestClientSecrets(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Client(t, db, "demo", "web", nil)
		now := store.At(db.Now())
		soon := store.At(now.Add(time.Hour))
		old := store.ClientSecret{ID: "sec_1", Tenant: "demo", ClientID: "web", Hash: []byte("one"), CreatedAt: now}
		sooner := store.ClientSecret{ID: "sec_2", Tenant: "demo", ClientID: "web", Hash: []byte("two"), CreatedAt: now, ExpiresAt: store.At(now.Add(time.Minute))}
		fresh := store.ClientSecret{ID: "sec_3", Tenant: "demo", ClientID: "web", Hash: []byte("three"), CreatedAt: store.At(now.Add(time.Second))}
		storetest.Write(t, db, func(tx *store.Tx) error {
			if err := errors.Join(tx.InsertClientSecret(ctx, &old), tx.InsertClientSecret(ctx, &sooner)); err != nil {
				return err
			}
			if n, err := tx.ExpireClientSecrets(ctx, "demo", "web", soon); err != nil || n != 1 {
				t.Errorf("expire: %d rows, %v; want 1", n, err)
			}
			return tx.InsertClientSecret(ctx, &fresh)
		})
		old.ExpiresAt = soon
		got, err := store.ClientSecrets(ctx, db, "demo", "web")
		if diff := cmp.Diff([]store.ClientSecret{old, sooner, fresh}, got); err != nil || diff != "" {
			t.Errorf("err %v, diff %s", err, diff)
		}
	})
}

func TestADeletedClientLeavesNothing(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.User(t, db, "demo", "cus_alice")
		storetest.Client(t, db, "demo", "web", nil)
		storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
		now := store.At(db.Now())
		storetest.Write(t, db, func(tx *store.Tx) error {
			return errors.Join(
				tx.InsertClientSecret(ctx, &store.ClientSecret{ID: "sec_1", Tenant: "demo", ClientID: "web", Hash: []byte("h"), CreatedAt: now}),
				tx.InsertAPIKey(ctx, &store.APIKey{ID: "key_1", Tenant: "demo", Kind: store.KindKey, ClientID: "web", Hash: []byte("h"), CreatedAt: now}),
				tx.DeleteClient(ctx, "demo", "web", "stf_admin"))
		})
		storetest.Client(t, db, "demo", "web", nil)
		g, err1 := store.GetGrant(ctx, db, "demo", "grt_1")
		k, err2 := store.GetAPIKey(ctx, db, "demo", "key_1")
		secrets, err3 := store.ClientSecrets(ctx, db, "demo", "web")
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		if g.RevokedBy != "stf_admin" || k.RevokedAt.IsZero() || len(secrets) != 0 {
			t.Errorf("a client made under the same id inherits: grant revoked by %q, key revoked %v, secrets %v", g.RevokedBy, k.RevokedAt, secrets)
		}
		err := db.Write(ctx, func(tx *store.Tx) error { return tx.DeleteClient(ctx, "demo", "none", "stf_admin") })
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of none: got %v, want ErrNotFound", err)
		}
	})
}
