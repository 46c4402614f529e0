package storetest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestPushedRequests(t *testing.T) {
	ctx := context.Background()
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		o.Now = func() time.Time { return now }
		db := storetest.Open(t, o)
		push := func(name string) *store.PushedRequest {
			r := &store.PushedRequest{Hash: []byte(name), Tenant: "demo", ClientID: "web", Form: "scope=a&state=" + name, CreatedAt: store.At(now), ExpiresAt: store.At(now.Add(time.Minute))}
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.InsertPushedRequest(ctx, r) })
			return r
		}
		use := func(name string) (ok bool) {
			storetest.Write(t, db, func(tx *store.Tx) (err error) {
				ok, err = tx.UsePushedRequest(ctx, []byte(name), store.At(now))
				return err
			})
			return ok
		}
		want := push("one")
		got, err := store.GetPushedRequest(ctx, db, "demo", "web", []byte("one"))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
		for _, other := range [][2]string{{"demo", "spa"}, {"other", "web"}} {
			if _, err := store.GetPushedRequest(ctx, db, other[0], other[1], []byte("one")); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%v finds it: %v", other, err)
			}
		}
		if err := db.Write(ctx, func(tx *store.Tx) error { return tx.InsertPushedRequest(ctx, want) }); !errors.Is(err, store.ErrExists) {
			t.Errorf("a handle twice: %v", err)
		}

		var used atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if use("one") {
					used.Add(1)
				}
			})
		}
		all.Wait()
		if used.Load() != 1 || use("none") {
			t.Errorf("%d of 20 got it", used.Load())
		}

		push("two")
		now = now.Add(time.Minute)
		push("three")
		if use("two") {
			t.Error("one at its end is used")
		}
		var n int64
		storetest.Write(t, db, func(tx *store.Tx) (err error) { n, err = tx.DeletePushedRequests(ctx, 9); return err })
		if n != 2 || !use("three") {
			t.Errorf("%d were removed, want the two that are over", n)
		}
	})
}
