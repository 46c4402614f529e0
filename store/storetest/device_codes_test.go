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

func device(name string, expires time.Time) *store.DeviceCode {
	return &store.DeviceCode{
		Hash: []byte(name), UserCodeHash: []byte("user " + name), Tenant: "demo", ClientID: "web", Scopes: store.Words{"points:read"},
		Audience: store.Words{"http://demo.localhost/api"}, Status: store.DevicePending, Granted: store.Words{}, Interval: 5, IP: "192.0.2.1",
		CreatedAt: store.At(expires.Add(-10 * time.Minute)), ExpiresAt: store.At(expires),
	}
}

func TestDeviceCodes(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		now := db.Now()
		open, late := device("d1", now.Add(time.Minute)), device("late", now.Add(-time.Second))
		storetest.Write(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertDeviceCode(ctx, open), tx.InsertDeviceCode(ctx, late))
		})
		did := func(f func(tx *store.Tx) (bool, error)) (ok bool) {
			t.Helper()
			storetest.Write(t, db, func(tx *store.Tx) (err error) { ok, err = f(tx); return err })
			return ok
		}
		t.Run("what was written is read, by either code", func(t *testing.T) {
			got, err := store.GetDeviceCode(ctx, db, "demo", open.Hash)
			if err != nil || cmp.Diff(open, got) != "" {
				t.Errorf("%v %s", err, cmp.Diff(open, got))
			}
			got, err = store.OpenDeviceCode(ctx, db, "demo", open.UserCodeHash, store.At(now))
			if err != nil || cmp.Diff(open, got) != "" {
				t.Errorf("%v %s", err, cmp.Diff(open, got))
			}
		})
		t.Run("another tenant's and a late one are not there", func(t *testing.T) {
			_, other := store.GetDeviceCode(ctx, db, "other", open.Hash)
			_, user := store.OpenDeviceCode(ctx, db, "other", open.UserCodeHash, store.At(now))
			_, after := store.OpenDeviceCode(ctx, db, "demo", late.UserCodeHash, store.At(now))
			if !errors.Is(other, store.ErrNotFound) || !errors.Is(user, store.ErrNotFound) || !errors.Is(after, store.ErrNotFound) {
				t.Errorf("got %v, %v and %v; want ErrNotFound", other, user, after)
			}
		})
		t.Run("a user code is given to one device", func(t *testing.T) {
			second := device("d2", now.Add(time.Minute))
			second.UserCodeHash = open.UserCodeHash
			if err := db.Write(ctx, func(tx *store.Tx) error { return tx.InsertDeviceCode(ctx, second) }); !errors.Is(err, store.ErrExists) {
				t.Errorf("got %v, want ErrExists", err)
			}
		})
		t.Run("it is answered once, in time, and used once, when approved", func(t *testing.T) {
			use := func(tx *store.Tx) (bool, error) { return tx.UseDeviceCode(ctx, open.Hash, store.At(now)) }
			approve := func(tx *store.Tx) (bool, error) {
				return tx.ApproveDeviceCode(ctx, open.Hash, "grt_1", store.Words{"points:read"})
			}
			if did(use) {
				t.Error("used before it was approved")
			}
			if _, err := store.DeviceStanding(ctx, db, open.Hash); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a standing without a grant: %v", err)
			}
			g := storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
			if !did(approve) || did(approve) || did(func(tx *store.Tx) (bool, error) { return tx.DenyDeviceCode(ctx, open.Hash) }) {
				t.Error("not answered exactly once")
			}
			if did(func(tx *store.Tx) (bool, error) { return tx.DenyDeviceCode(ctx, late.Hash) }) ||
				did(func(tx *store.Tx) (bool, error) { return tx.ApproveDeviceCode(ctx, late.Hash, "grt_1", nil) }) {
				t.Error("answered after its end")
			}
			if _, err := store.OpenDeviceCode(ctx, db, "demo", open.UserCodeHash, store.At(now)); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("still open after its answer: %v", err)
			}
			if s, err := store.DeviceStanding(ctx, db, open.Hash); err != nil || !s.Live || s.Subject != g.Subject {
				t.Errorf("standing %+v, %v", s, err)
			}
			if !did(use) || did(use) {
				t.Error("not used exactly once")
			}
		})
		t.Run("its polls are noted", func(t *testing.T) {
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.PollDeviceCode(ctx, open.Hash, store.At(now), 10) })
			if d, err := store.GetDeviceCode(ctx, db, "demo", open.Hash); err != nil || d.Interval != 10 || !d.PolledAt.Equal(store.At(now).Time) {
				t.Errorf("%+v, %v", d, err)
			}
		})
		t.Run("it is deleted when its end is long past", func(t *testing.T) {
			old := device("old", now.Add(-2*time.Hour))
			var n int64
			storetest.Write(t, db, func(tx *store.Tx) (err error) {
				if err = tx.InsertDeviceCode(ctx, old); err == nil {
					n, err = tx.DeleteDeviceCodes(ctx, 9)
				}
				return err
			})
			if _, err := store.GetDeviceCode(ctx, db, "demo", late.Hash); n != 1 || err != nil {
				t.Errorf("deleted %d; the late one: %v", n, err)
			}
		})
	})
}
