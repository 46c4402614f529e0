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

func TestAPIKeys(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		admin := storetest.User(t, db, "demo", "stf_admin", "super_admin")
		now := store.At(db.Now())
		token := &store.APIKey{
			ID: "tok_1", Tenant: "demo", Kind: store.KindToken, Name: "laptop", UserID: admin.ID, Hash: []byte("hash"),
			Scopes: store.Words{"admin", "audit:read"}, CreatedAt: now, ExpiresAt: store.At(now.Add(time.Hour)),
		}
		key := &store.APIKey{ID: "key_1", Tenant: "demo", Kind: store.KindKey, Name: "shop", ClientID: "gone", Hash: []byte("hash"), CreatedAt: now}
		storetest.Write(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertAPIKey(ctx, token), tx.InsertAPIKey(ctx, key))
		})

		t.Run("a token is read with its person", func(t *testing.T) {
			h, err := db.HolderOf(ctx, token.ID)
			if err != nil {
				t.Fatal(err)
			}
			want := &store.KeyHolder{APIKey: *token, UserType: "staff", Roles: store.Words{"super_admin"}, HolderThere: true}
			if diff := cmp.Diff(want, h, cmp.Transformer("words", func(w store.Words) []string { return append([]string{}, w...) })); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("a key whose client is gone has no holder", func(t *testing.T) {
			h, err := db.HolderOf(ctx, key.ID)
			if err != nil || h.HolderThere {
				t.Errorf("holder there: %v (%v), want false", h.HolderThere, err)
			}
		})
		t.Run("a disabled person shows", func(t *testing.T) {
			storetest.Write(t, db, func(tx *store.Tx) error {
				u := *admin
				u.DisabledAt = now
				return tx.UpdateUser(ctx, &u)
			})
			if h, err := db.HolderOf(ctx, token.ID); err != nil || !h.HolderDisabled.Equal(now.Time) {
				t.Errorf("disabled at %v (%v), want %v", h.HolderDisabled, err, now)
			}
		})
		t.Run("lists by kind", func(t *testing.T) {
			got, err := store.APIKeys(ctx, db, store.APIKeyFilter{Tenant: "demo", Kind: store.KindToken, Limit: 10})
			if err != nil || len(got) != 1 || got[0].ID != token.ID {
				t.Errorf("%v (%v), want the token alone", got, err)
			}
		})
		t.Run("lists the live ones", func(t *testing.T) {
			for at, want := range map[time.Duration]int{0: 2, time.Hour: 1} { // the key has no end
				got, err := store.APIKeys(ctx, db, store.APIKeyFilter{Tenant: "demo", LiveAt: store.At(now.Add(at)), Limit: 10})
				if err != nil || len(got) != want {
					t.Errorf("after %s: %v (%v), want %d", at, got, err, want)
				}
			}
		})
		t.Run("a use is noted once a minute", func(t *testing.T) {
			later := store.At(now.Add(2 * time.Minute))
			for _, at := range []store.Time{now, store.At(now.Add(time.Second)), later} {
				storetest.Write(t, db, func(tx *store.Tx) error {
					return tx.TouchAPIKey(ctx, token.ID, store.At(at.Add(-time.Minute)), at)
				})
			}
			k, err := store.GetAPIKey(ctx, db, "demo", token.ID)
			if err != nil || !k.LastUsedAt.Equal(later.Time) {
				t.Errorf("last used %v (%v), want %v", k.LastUsedAt, err, later)
			}
		})
		t.Run("another tenant finds nothing", func(t *testing.T) {
			if _, err := store.GetAPIKey(ctx, db, "other", token.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("read: %v, want ErrNotFound", err)
			}
			err := db.Write(ctx, func(tx *store.Tx) error { return tx.RevokeAPIKey(ctx, "other", token.ID) })
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("revoke: %v, want ErrNotFound", err)
			}
		})
		t.Run("is revoked once, and then no more changed", func(t *testing.T) {
			revoke := func() error {
				return db.Write(ctx, func(tx *store.Tx) error { return tx.RevokeAPIKey(ctx, "demo", token.ID) })
			}
			if err := revoke(); err != nil {
				t.Fatal(err)
			}
			if err := revoke(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the second time: %v, want ErrNotFound", err)
			}
			err := db.Write(ctx, func(tx *store.Tx) error { return tx.UpdateAPIKey(ctx, token) })
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("change: %v, want ErrNotFound", err)
			}
		})
		t.Run("are revoked together", func(t *testing.T) {
			var n int64
			storetest.Write(t, db, func(tx *store.Tx) (err error) {
				n, err = tx.RevokeAPIKeys(ctx, store.APIKeyMatch{Tenant: "demo", Before: store.At(now.Add(time.Hour))})
				return err
			})
			if n != 1 {
				t.Errorf("revoked %d, want 1: the other is revoked already", n)
			}
			if got, err := store.APIKeys(ctx, db, store.APIKeyFilter{Tenant: "demo", LiveAt: now, Limit: 10}); err != nil || len(got) != 0 {
				t.Errorf("live are %v (%v), want none", got, err)
			}
		})
	})
}
