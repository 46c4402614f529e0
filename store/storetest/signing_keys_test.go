package storetest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestSigningKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		demo := storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		now := store.At(db.Now())
		later := store.At(now.Add(time.Hour))
		insert := func(k store.SigningKey) error {
			return db.Write(ctx, func(tx *store.Tx) error { return tx.InsertSigningKey(ctx, &k) })
		}
		ids := func(keys []store.SigningKey, err error) (all string) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				all += k.ID + " "
			}
			return all
		}
		past := store.At(now.Add(-time.Hour))
		for _, k := range []store.SigningKey{
			{ID: "b", Tenant: "demo", SignsFrom: past, Sealed: []byte("sealed")},
			{ID: "a", Tenant: "demo", SignsFrom: later, Sealed: []byte("sealed")},
			{ID: "ended", Tenant: "demo", SignsFrom: past, RetiredAt: past, EndsAt: now, Sealed: []byte("sealed")},
			{ID: "long-ended", Tenant: "demo", SignsFrom: past, RetiredAt: past, EndsAt: store.At(now.Add(-91 * 24 * time.Hour))},
			{ID: "theirs", Tenant: "other", SignsFrom: past, Sealed: []byte("sealed")},
		} {
			k.Alg, k.PublicJWK, k.CreatedAt = "ES256", "{}", past
			if err := insert(k); err != nil {
				t.Fatal(err)
			}
			if err := insert(k); !errors.Is(err, store.ErrExists) {
				t.Errorf("twice: %v", err)
			}
		}
		if got := ids(store.SigningKeys(ctx, db, now)); got != "b a theirs " {
			t.Errorf("published: %s", got)
		}
		if got := ids(store.TenantSigningKeys(ctx, db, "demo", "a", 2)); got != "b ended " {
			t.Errorf("the tenant's: %s", got)
		}
		if _, err := store.GetSigningKey(ctx, db, "demo", "theirs"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another tenant's: %v", err)
		}
		k, err := store.GetSigningKey(ctx, db, "demo", "b")
		if err != nil || k.Issuer != demo.Issuer || k.Revoked() || string(k.Sealed) != "sealed" {
			t.Errorf("%+v %v", k, err)
		}
		storetest.Write(t, db, func(tx *store.Tx) error {
			if err := tx.RevokeSigningKey(ctx, "demo", "theirs"); !errors.Is(err, store.ErrConflict) {
				t.Errorf("another tenant's is revoked: %v", err)
			}
			if err := tx.ResealSigningKey(ctx, "b", []byte("otherwise"), []byte("wrong")); err != nil {
				return err
			}
			if err := tx.ResealSigningKey(ctx, "a", []byte("sealed"), []byte("anew")); err != nil {
				return err
			}
			if done, err := tx.DestroySigningKey(ctx, "b"); done || err != nil {
				t.Errorf("one that signs is destroyed: %v", err)
			}
			if err := tx.RetireSigningKeys(ctx, "demo", "ES256", later, store.At(later.Add(time.Hour))); err != nil {
				return err
			}
			if n, err := tx.DeleteSigningKeys(ctx, 10); n != 1 || err != nil {
				t.Errorf("deleted %d: %v", n, err)
			}
			if done, err := tx.DestroySigningKey(ctx, "ended"); !done || err != nil {
				t.Errorf("one that is retired is not destroyed: %v", err)
			}
			return tx.RevokeSigningKey(ctx, "demo", "b")
		})
		for id, want := range map[string]string{"a": "anew", "b": "", "ended": "", "theirs": "sealed"} {
			tenant := map[bool]string{true: "other", false: "demo"}[id == "theirs"]
			k, err := store.GetSigningKey(ctx, db, tenant, id)
			if err != nil || string(k.Sealed) != want || k.Revoked() != (id == "b") {
				t.Errorf("%s: %+v %v", id, k, err)
			}
		}
	})
}
