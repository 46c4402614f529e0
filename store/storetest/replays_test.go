package storetest_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func once(t *testing.T, db *store.DB, key string, until time.Time) (first bool) {
	t.Helper()
	storetest.Write(t, db, func(tx *store.Tx) (err error) {
		first, err = tx.Once(context.Background(), []byte(key), store.At(until))
		return err
	})
	return first
}

func TestOnce(t *testing.T) {
	ctx := context.Background()
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		now := time.Now().Truncate(time.Microsecond)
		o.Now = func() time.Time { return now }
		db := storetest.Open(t, o)
		for i, c := range []struct {
			key   string
			after time.Duration
			want  bool
		}{
			{"a", 0, true},
			{"a", 0, false},
			{"b", 0, true},
			{"a", time.Minute - time.Microsecond, false},
			{"a", time.Microsecond, true}, // its minute is over
			{"a", 0, false},               // and it has a new one
		} {
			now = now.Add(c.after)
			if got := once(t, db, c.key, now.Add(time.Minute)); got != c.want {
				t.Errorf("step %d: %q is first: %v, want %v", i, c.key, got, c.want)
			}
		}
		removed := func(limit int) (n int64) {
			storetest.Write(t, db, func(tx *store.Tx) (err error) { n, err = tx.DeleteReplays(ctx, limit); return err })
			return n
		}
		if n := removed(9); n != 1 {
			t.Errorf("%d notes were removed, want the one whose time is over", n)
		}
		now = now.Add(time.Minute)
		once(t, db, "c", now)
		if a, b := removed(1), removed(9); a != 1 || b != 1 {
			t.Errorf("%d and %d notes were removed, want 1 and 1", a, b)
		}
		if !once(t, db, "a", now.Add(time.Minute)) {
			t.Error("what was removed is still known")
		}
	})
}

// TestOnceHasOneFirst: of many at once, in one node and in two.
func TestOnceHasOneFirst(t *testing.T) {
	race := func(t *testing.T, nodes ...*store.DB) {
		var first atomic.Int64
		var wg sync.WaitGroup
		until := store.At(time.Now().Add(time.Minute))
		for i := range 32 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				err := nodes[i%len(nodes)].Write(context.Background(), func(tx *store.Tx) error {
					ok, err := tx.Once(context.Background(), []byte("proof"), until)
					if ok {
						first.Add(1)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}()
		}
		wg.Wait()
		if n := first.Load(); n != 1 {
			t.Errorf("%d were the first", n)
		}
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) { race(t, db) })
	t.Run("two nodes", func(t *testing.T) {
		url := storetest.Postgres(t)
		race(t, storetest.Open(t, store.Options{URL: url, Dir: t.TempDir()}), storetest.Open(t, store.Options{URL: url, Dir: t.TempDir()}))
	})
}
