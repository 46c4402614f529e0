package storetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func lease(t *testing.T, db *store.DB, name, holder string, d time.Duration) bool {
	t.Helper()
	held, err := db.Lease(context.Background(), name, holder, d)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func holds(db *store.DB, name, holder string) error {
	ctx := context.Background()
	return db.Write(ctx, func(tx *store.Tx) error { return tx.HoldsLease(ctx, name, holder) })
}

func TestLeases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		t.Run("are held by one", func(t *testing.T) {
			if err := holds(db, "a", "one"); !errors.Is(err, store.ErrConflict) {
				t.Errorf("before anybody asked: %v, want ErrConflict", err)
			}
			if !lease(t, db, "a", "one", time.Hour) || lease(t, db, "a", "two", time.Hour) {
				t.Error("the first who asks has it, the second does not")
			}
			if !lease(t, db, "a", "one", time.Hour) || !lease(t, db, "b", "two", time.Hour) {
				t.Error("the holder keeps it, and another lease is another")
			}
			if err := holds(db, "a", "one"); err != nil {
				t.Errorf("the holder: %v", err)
			}
			if err := holds(db, "a", "two"); !errors.Is(err, store.ErrConflict) {
				t.Errorf("the other: %v, want ErrConflict", err)
			}
		})
		t.Run("are given up", func(t *testing.T) {
			if err := db.ReleaseLease(context.Background(), "a", "two"); err != nil || lease(t, db, "a", "two", time.Hour) {
				t.Errorf("who has it not gives nothing up: %v", err)
			}
			if err := db.ReleaseLease(context.Background(), "a", "one"); err != nil || !lease(t, db, "a", "two", time.Hour) {
				t.Errorf("after the holder gave it up: %v", err)
			}
		})
		t.Run("run out", func(t *testing.T) {
			lease(t, db, "c", "one", time.Millisecond)
			if err := holds(db, "c", "one"); err != nil {
				t.Errorf("nobody else has it: %v", err)
			}
			until := time.Now().Add(10 * time.Second)
			for !lease(t, db, "c", "two", time.Hour) {
				if time.Now().After(until) {
					t.Fatal("a lease of a millisecond is still held")
				}
			}
			if err := holds(db, "c", "one"); !errors.Is(err, store.ErrConflict) {
				t.Errorf("who had it: %v, want ErrConflict", err)
			}
		})
		t.Run("go to one of many who ask at once", func(t *testing.T) {
			var wg sync.WaitGroup
			got := make(chan string, 16)
			for _, holder := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
				wg.Go(func() {
					if held, err := db.Lease(context.Background(), "d", holder, time.Hour); err != nil {
						t.Error(err)
					} else if held {
						got <- holder
					}
				})
			}
			wg.Wait()
			if len(got) != 1 {
				t.Errorf("%d hold it, want 1", len(got))
			}
		})
	})
}

// TestLeaseIsRenewed: the clock of SQLite is ours, so its moments can be told apart.
func TestLeaseIsRenewed(t *testing.T) {
	now := time.Now()
	db := storetest.Open(t, store.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	begin := now
	for _, c := range []struct {
		at   time.Duration
		who  string
		held bool
	}{
		{0, "one", true},
		{4 * time.Second, "one", true}, // more than half is left: as it was
		{6 * time.Second, "one", true}, // less: until 16 s
		{11 * time.Second, "two", false},
		{16 * time.Second, "two", true},
		{17 * time.Second, "one", false},
	} {
		now = begin.Add(c.at)
		if held := lease(t, db, "a", c.who, 10*time.Second); held != c.held {
			t.Errorf("after %v, %s: %t, want %t", c.at, c.who, held, c.held)
		}
	}
}

// TestAClockThatIsSetBackHoldsUpNobody: a lease of before, which seems to last
// for a day, has run out; a step of a moment takes nobody's away.
func TestAClockThatIsSetBackHoldsUpNobody(t *testing.T) {
	now := time.Now()
	db := storetest.Open(t, store.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	begin := now
	for _, c := range []struct {
		at   time.Duration
		who  string
		held bool
	}{
		{0, "one", true},
		{-time.Second, "two", false},
		{-9 * time.Second, "two", false},
		{-24 * time.Hour, "two", true},
		{-24*time.Hour + 9*time.Second, "one", false},
		{-24*time.Hour + 11*time.Second, "one", true},
		{-48 * time.Hour, "one", true},
		{-48*time.Hour + 11*time.Second, "two", true}, // it was of 10 s again
	} {
		now = begin.Add(c.at)
		if held := lease(t, db, "a", c.who, 10*time.Second); held != c.held {
			t.Errorf("at %v, %s: %t, want %t", c.at, c.who, held, c.held)
		}
	}
}
