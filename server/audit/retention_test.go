package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

const aDay = 24 * time.Hour

func retainer(db *store.DB, now time.Time) *audit.Retainer {
	return &audit.Retainer{
		Store: db, Log: quiet, Holder: "one", Home: "demo", Keep: 400 * aDay, Now: func() time.Time { return now },
		Events: &gate.Events{Store: db, Now: func() time.Time { return now }, NewID: uuid.NewString},
		Wait:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

// days makes a row of two records for each of the last n days, the oldest first.
func days(t *testing.T, db *store.DB, now time.Time, n int) {
	t.Helper()
	for i := n; i > 0; i-- {
		at := store.At(now.Add(-time.Duration(i) * aDay))
		storetest.Write(t, db, func(tx *store.Tx) error {
			tx.Record(record(at, fmt.Sprintf("dec-%04d-a", i), "cus_a", ""))
			tx.Record(record(at, fmt.Sprintf("dec-%04d-b", i), "cus_b", ""))
			return nil
		})
	}
}

func kept(t *testing.T, db *store.DB) (full, empty int) {
	t.Helper()
	size, err := db.LogSize(background)
	if err == nil {
		err = db.Records(background, 0, size, func(r *store.Record) error {
			if r.Erased {
				empty++
			} else {
				full++
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return full, empty
}

type retained struct {
	From, To, Records int64
	Before            time.Time
}

func reports(t *testing.T, db *store.DB) (all []retained) {
	t.Helper()
	for _, e := range events(t, db) {
		var r struct {
			Path   string
			Custom retained
		}
		if err := json.Unmarshal([]byte(e), &r); err != nil {
			t.Fatal(err)
		}
		if r.Path == "pointgate/trail.retain" {
			all = append(all, r.Custom)
		}
	}
	return all
}

func TestOldRecordsAreEmptiedOnceADay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
		days(t, db, now, 600)
		before, err := db.Head(background)
		if err != nil {
			t.Fatal(err)
		}
		killed := errors.New("killed")
		r := retainer(db, now)
		r.Wait = func(context.Context, time.Duration) error { return killed } // after the first step
		if err := r.Pass(background); !errors.Is(err, killed) {
			t.Fatal(err)
		}
		if _, empty := kept(t, db); empty != 128 {
			t.Fatalf("%d were emptied in the first step", empty)
		}
		for range 3 { // the first goes on, the others have nothing to do on this day
			if err := retainer(db, now).Pass(background); err != nil {
				t.Fatal(err)
			}
		}
		want := []retained{{From: 0, To: 400, Records: 400, Before: now.Add(-400 * aDay)}}
		if diff := cmp.Diff(want, reports(t, db)); diff != "" {
			t.Error(diff)
		}
		if full, empty := kept(t, db); full != 801 || empty != 400 { // one is the report
			t.Errorf("%d have their content, %d have not", full, empty)
		}
		for i := range 2 {
			if err := retainer(db, now.Add(time.Duration(i+1)*aDay)).Pass(background); err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, retained{400, 402, 2, now.Add(-399 * aDay)}, retained{402, 404, 2, now.Add(-398 * aDay)})
		if diff := cmp.Diff(want, reports(t, db)); diff != "" {
			t.Error(diff)
		}
		sound(t, db, before)
	})
}

// TestAClockThatWasAheadKeepsItsOwnOnly: it holds up nobody, and goes when its time comes.
func TestAClockThatWasAheadKeepsItsOwnOnly(t *testing.T) {
	db := storetest.SQLite(t)
	storetest.Tenant(t, db, "demo")
	now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	days(t, db, now, 402)
	days(t, db, now, 10)
	days(t, db, now, 402)
	if err := retainer(db, now).Pass(background); err != nil {
		t.Fatal(err)
	}
	if _, empty := kept(t, db); empty != 4 {
		t.Errorf("%d are empty, want the two of the first days, and not what lies 64 rows behind younger ones", empty)
	}
	db = storetest.SQLite(t)
	storetest.Tenant(t, db, "demo")
	for range 3 {
		days(t, db, now.Add(-450*aDay), 10)
		days(t, db, now, 10)
	}
	if err := retainer(db, now).Pass(background); err != nil {
		t.Fatal(err)
	}
	if full, empty := kept(t, db); empty != 60 || full != 61 {
		t.Errorf("%d are empty, %d are not", empty, full)
	}
	if all := reports(t, db); len(all) != 1 || all[0].To != 100 || all[0].Records != 60 {
		t.Errorf("told %+v: what is emptied has to be in the range", all)
	}
	at, err := db.Retention(background)
	if err != nil || at.Next != 20 {
		t.Errorf("%+v, %v: it has to come back to what it left", at, err)
	}
	if err := retainer(db, now.Add(500*aDay)).Pass(background); err != nil {
		t.Fatal(err)
	}
	if full, empty := kept(t, db); empty != 121 || full != 1 {
		t.Errorf("later: %d are empty, %d are not", empty, full)
	}
}

func TestRetentionForEverIsNone(t *testing.T) {
	db := storetest.SQLite(t)
	r := retainer(db, time.Now())
	r.Keep = 0
	r.Wait = func(context.Context, time.Duration) error { t.Error("it runs"); return errors.New("stop") }
	r.Run(background)
}
