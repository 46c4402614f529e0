package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// fill adds n records to the log.
func fill(t *testing.T, db *store.DB, n int) {
	t.Helper()
	storetest.Write(t, db, func(tx *store.Tx) error {
		for i := range n {
			tx.Record(&store.Record{ID: fmt.Sprintf("d%d-%d", time.Now().UnixNano(), i), At: tx.Now(), Tenant: "demo", Body: []byte(`{"custom":{"tenant":"demo"}}`)})
		}
		return nil
	})
}

func keep(t *testing.T, db *store.DB, at time.Time, origin string, size int64, root byte) error {
	t.Helper()
	return db.Write(context.Background(), func(tx *store.Tx) error {
		return tx.KeepCheckpoint(context.Background(), &store.Checkpoint{At: store.At(at), Origin: origin, Size: size, Root: []byte{root}, Note: fmt.Sprintf("%s %d", origin, size)})
	})
}

func TestCheckpointsNeverContradictEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, 10)
		now := time.Now()
		for _, step := range []struct {
			name   string
			origin string
			size   int64
			root   byte
			want   error
		}{
			{"more than there is", "a", 11, 1, store.ErrFork},
			{"the first", "a", 5, 1, nil},
			{"the same again", "a", 5, 1, nil},
			{"another tree of that size", "a", 5, 2, store.ErrFork},
			{"a larger one", "a", 10, 3, nil},
			{"a smaller one, of a node that was slow", "a", 5, 1, store.ErrConflict},
			{"a smaller one of another log", "b", 5, 9, nil},
		} {
			now = now.Add(time.Second)
			if err := keep(t, db, now, step.origin, step.size, step.root); !errors.Is(err, step.want) {
				t.Errorf("%s: %v, want %v", step.name, err, step.want)
			}
		}
		ctx := context.Background()
		last, err := store.LastCheckpoint(ctx, db, "a")
		if err != nil || last.Size != 10 || last.Note != "a 10" {
			t.Errorf("the last: %+v, %v", last, err)
		}
		if c, err := db.CheckpointOf(ctx, 6); err != nil || c.Size != 10 {
			t.Errorf("of 6 or more: %+v, %v", c, err)
		}
		if c, err := db.CheckpointAt(ctx, store.At(now.Add(-time.Second))); err != nil || c.Size != 10 {
			t.Errorf("a second ago: %+v, %v", c, err)
		}
		if _, err := db.CheckpointAt(ctx, store.At(now.Add(-time.Hour))); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an hour ago: %v", err)
		}
		if _, err := store.LastCheckpoint(ctx, db, "c"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of a log that isn't there: %v", err)
		}
	})
}

// TestNodesThatKeepAtOnce: whoever is slower learns of it, and there is one tree
// of each size.
func TestNodesThatKeepAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, 50)
		begin := time.Now()
		var wg sync.WaitGroup
		for node := range 8 {
			wg.Go(func() {
				for size := int64(1); size <= 50; size++ {
					at := begin.Add(time.Duration(size*8+int64(node)) * time.Millisecond)
					err := keep(t, db, at, "a", size, byte(node))
					if err != nil && !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrFork) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var forks int
		if err := db.Get(context.Background(), &forks, `SELECT COUNT(*) FROM checkpoints a JOIN checkpoints b ON a.size = b.size AND a.root <> b.root`); err != nil || forks > 0 {
			t.Errorf("%d pairs of different trees of one size: %v", forks, err)
		}
		if last, err := store.LastCheckpoint(context.Background(), db, "a"); err != nil || last.Size != 50 {
			t.Errorf("%+v, %v", last, err)
		}
	})
}

func TestCosignaturesAreKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, at := context.Background(), time.Now()
		fill(t, db, 2)
		if err := keep(t, db, at, "a", 1, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := db.LastCosigned(ctx, "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("before: %v", err)
		}
		storetest.Write(t, db, func(tx *store.Tx) error {
			c, err := tx.ReadCheckpoint(ctx, store.At(at))
			if err != nil {
				return err
			}
			c.Note, c.Witnesses = c.Note+" and a witness", 1
			return tx.CosignCheckpoint(ctx, c)
		})
		if err := keep(t, db, at.Add(time.Second), "a", 2, 2); err != nil {
			t.Fatal(err)
		}
		if c, err := db.LastCosigned(ctx, "a"); err != nil || c.Size != 1 || c.Note != "a 1 and a witness" {
			t.Errorf("%+v, %v", c, err)
		}
		err := db.Write(ctx, func(tx *store.Tx) error {
			return tx.CosignCheckpoint(ctx, &store.Checkpoint{At: store.At(at.Add(time.Hour)), Size: 1})
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("one that was not kept: %v", err)
		}
	})
}

func TestOldCheckpointsAreThinned(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		now := time.Date(2026, 11, 22, 12, 0, 30, 0, time.UTC)
		o.Now = func() time.Time { return now }
		db := storetest.Open(t, o)
		fill(t, db, 1)
		ctx := context.Background()
		var all []time.Time
		for _, at := range []time.Duration{
			72 * time.Hour, 72*time.Hour - time.Minute, 72*time.Hour - 2*time.Minute, // one hour
			25 * time.Hour, 24*time.Hour + time.Minute, // one hour
			2 * time.Hour, 2*time.Hour - 10*time.Second, // one minute
			2*time.Hour - time.Minute, 2*time.Hour - 61*time.Second, // another
			30 * time.Minute, 30*time.Minute - time.Second, 0,
		} {
			all = append(all, now.Add(-at))
			if err := keep(t, db, now.Add(-at), "a", 1, 1); err != nil {
				t.Fatal(err)
			}
		}
		storetest.Write(t, db, func(tx *store.Tx) error { // a witness has cosigned the first of one hour
			return tx.CosignCheckpoint(ctx, &store.Checkpoint{At: store.At(all[0]), Size: 1, Note: "cosigned", Witnesses: 1})
		})
		if _, err := db.ThinCheckpoints(ctx, 1); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := db.Get(ctx, &left, `SELECT COUNT(*) FROM checkpoints`); err != nil || left < len(all)-2 {
			t.Errorf("a step of one has left %d of %d: %v", left, len(all), err)
		}
		for gone := int64(1); gone > 0; {
			var err error
			if gone, err = db.ThinCheckpoints(ctx, 500); err != nil {
				t.Fatal(err)
			}
		}
		var rows []store.Time
		if err := db.Select(ctx, &rows, `SELECT at FROM checkpoints ORDER BY at`); err != nil {
			t.Fatal(err)
		}
		var ages []string
		for _, at := range rows {
			ages = append(ages, now.Sub(at.Time).String())
		}
		want := "[72h0m0s 24h1m0s 1h59m50s 1h58m59s 30m0s 29m59s 0s]"
		if fmt.Sprint(ages) != want {
			t.Errorf("left %v, want %v", ages, want)
		}
	})
}

// TestTheLastCheckpointStays, whatever its age.
func TestTheLastCheckpointStays(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		now := time.Now()
		o.Now = func() time.Time { return now }
		db := storetest.Open(t, o)
		fill(t, db, 2)
		hour := now.Add(-50 * time.Hour).Truncate(time.Hour)
		for i, at := range []time.Time{hour, hour.Add(time.Minute)} {
			if err := keep(t, db, at, "a", int64(i+1), byte(i)); err != nil {
				t.Fatal(err)
			}
		}
		storetest.Write(t, db, func(tx *store.Tx) error {
			return tx.CosignCheckpoint(context.Background(), &store.Checkpoint{At: store.At(hour), Size: 1, Note: "cosigned", Witnesses: 1})
		})
		if _, err := db.ThinCheckpoints(context.Background(), 500); err != nil {
			t.Fatal(err)
		}
		if c, err := store.LastCheckpoint(context.Background(), db, "a"); err != nil || c.Size != 2 {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestLogKeys(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		now := time.Now()
		o.Now = func() time.Time { return now }
		db := storetest.Open(t, o)
		ctx := context.Background()
		for i, name := range []string{"old", "new"} {
			storetest.Write(t, db, func(tx *store.Tx) error {
				if err := tx.RetireLogKeys(ctx, store.At(now.Add(time.Hour))); err != nil {
					return err
				}
				return tx.InsertLogKey(ctx, &store.LogKey{Verifier: name, Sealed: []byte(name), CreatedAt: store.At(now.Add(time.Duration(i) * time.Second))})
			})
		}
		signing := func() (who []string) {
			t.Helper()
			keys, err := store.LogKeys(ctx, db)
			if err != nil {
				t.Fatal(err)
			}
			for i := range keys {
				if keys[i].Signs(store.At(now)) {
					who = append(who, keys[i].Verifier)
				}
			}
			return who
		}
		if got := fmt.Sprint(signing()); got != "[new old]" {
			t.Errorf("in the overlap: %s", got)
		}
		destroy := func(name string) error {
			return db.Write(ctx, func(tx *store.Tx) error { return tx.DestroyLogKey(ctx, name) })
		}
		if err := destroy("old"); !errors.Is(err, store.ErrConflict) {
			t.Errorf("destroyed while it signs: %v", err)
		}
		now = now.Add(time.Hour)
		if got := fmt.Sprint(signing()); got != "[new]" {
			t.Errorf("after it: %s", got)
		}
		if err := destroy("old"); err != nil {
			t.Error(err)
		}
		if err := destroy("old"); !errors.Is(err, store.ErrConflict) {
			t.Errorf("twice: %v", err)
		}
		if err := destroy("new"); !errors.Is(err, store.ErrConflict) {
			t.Errorf("one without an end: %v", err)
		}
		keys, err := store.LogKeys(ctx, db)
		if err != nil || len(keys) != 2 || len(keys[1].Sealed) != 0 || len(keys[0].Sealed) == 0 {
			t.Errorf("%+v, %v", keys, err)
		}
	})
}
