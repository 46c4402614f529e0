package audit_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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

// retainer is one of a process that began at now, and whose clock the log proves.
func retainer(t *testing.T, db *store.DB, now time.Time) *audit.Retainer {
	t.Helper()
	storetest.Write(t, db, func(tx *store.Tx) error {
		tx.Record(record(store.At(now), fmt.Sprint("dec-now-", now.Unix(), "-", rand.Text()), "cus_c", ""))
		return nil
	})
	return retainerOf(db, now)
}

func retainerOf(db *store.DB, now time.Time) *audit.Retainer {
	return &audit.Retainer{
		Store: db, Log: quiet, Holder: "one", Home: "demo", Keep: 400 * aDay, Now: func() time.Time { return now },
		Events: &gate.Events{Store: db, Now: func() time.Time { return now }, NewID: uuid.NewString},
		Wait:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

// waited says that a pass which would empty much at once has waited for its time.
func waited(t *testing.T, db *store.DB, now time.Time) {
	t.Helper()
	at, err := db.Retention(background)
	if err != nil {
		t.Fatal(err)
	}
	at.HeldAt = store.At(now.Add(-7 * aDay))
	storetest.Write(t, db, func(tx *store.Tx) error { return tx.SetRetention(background, at) })
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
		waited(t, db, now)
		r := retainer(t, db, now)
		r.Wait = func(context.Context, time.Duration) error { return killed } // after the first step
		if err := r.Pass(background); !errors.Is(err, killed) {
			t.Fatal(err)
		}
		if _, empty := kept(t, db); empty != 128 {
			t.Fatalf("%d were emptied in the first step", empty)
		}
		for range 3 { // the first goes on, the others have nothing to do on this day
			if err := retainer(t, db, now).Pass(background); err != nil {
				t.Fatal(err)
			}
		}
		want := []retained{{From: 0, To: 400, Records: 400, Before: now.Add(-400 * aDay)}}
		if diff := cmp.Diff(want, reports(t, db)); diff != "" {
			t.Error(diff)
		}
		if full, empty := kept(t, db); full != 805 || empty != 400 { // one is the report, four are the retainers' own
			t.Errorf("%d have their content, %d have not", full, empty)
		}
		for i := range 2 {
			if err := retainer(t, db, now.Add(time.Duration(i+1)*aDay)).Pass(background); err != nil {
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
	waited(t, db, now)
	if err := retainer(t, db, now).Pass(background); err != nil {
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
	waited(t, db, now)
	if err := retainer(t, db, now).Pass(background); err != nil {
		t.Fatal(err)
	}
	if full, empty := kept(t, db); empty != 60 || full != 62 {
		t.Errorf("%d are empty, %d are not", empty, full)
	}
	if all := reports(t, db); len(all) != 1 || all[0].To != 100 || all[0].Records != 60 {
		t.Errorf("told %+v: what is emptied has to be in the range", all)
	}
	at, err := db.Retention(background)
	if err != nil || at.Next != 20 {
		t.Errorf("%+v, %v: it has to come back to what it left", at, err)
	}
	waited(t, db, now.Add(500*aDay))
	if err := retainer(t, db, now.Add(500*aDay)).Pass(background); err != nil {
		t.Fatal(err)
	}
	if full, empty := kept(t, db); empty != 121 || full != 3 { // the two reports, and what proves the clock
		t.Errorf("later: %d are empty, %d are not", empty, full)
	}
}

// TestAClockThatIsAheadEmptiesNothing: within the process the log bounds it, and
// after a restart there is a week to look.
func TestAClockThatIsAheadEmptiesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
		days(t, db, now, 50)
		ahead := now.Add(401 * aDay)
		if err := retainerOf(db, ahead).Pass(background); err != nil {
			t.Fatal(err)
		}
		anchored := retainerOf(db, ahead)
		if err := anchored.Anchor(background); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second is a process that finds the records of the first
			before := len(holds(t, db))
			r := retainer(t, db, ahead)
			if err := r.Pass(background); err == nil || !strings.Contains(err.Error(), "look at the clock") {
				t.Fatalf("it says %v", err)
			}
			if n := len(holds(t, db)); n != 1 || before > 1 {
				t.Errorf("%d records say that it waits", n)
			}
		}
		if err := anchored.Pass(background); err != nil { // what it records itself proves nothing to it
			t.Fatal(err)
		}
		if full, empty := kept(t, db); empty != 0 || full != 103 {
			t.Errorf("%d are empty, %d are not", empty, full)
		}
		if err := retainer(t, db, now.Add(2*aDay)).Pass(background); err != nil { // the clock is mended
			t.Fatal(err)
		}
		if at, err := db.Retention(background); err != nil || !at.HeldAt.IsZero() || !at.DoneAt.Equal(now.Add(2*aDay)) {
			t.Errorf("%+v, %v", at, err)
		}
	})
}

// TestAPassThatLostItsLeaseCountsNothing: what another node has done stands.
func TestAPassThatLostItsLeaseCountsNothing(t *testing.T) {
	db := storetest.SQLite(t)
	storetest.Tenant(t, db, "demo")
	now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	days(t, db, now, 600)
	waited(t, db, now)
	r := retainer(t, db, now)
	r.Wait = func(context.Context, time.Duration) error { // after the first step, the lease goes to another
		if err := db.ReleaseLease(background, "retention", "one"); err != nil {
			return err
		}
		two := retainerOf(db, now)
		two.Holder = "two"
		return two.Pass(background)
	}
	if err := r.Pass(background); err == nil {
		t.Error("it went on without the lease")
	}
	if all := reports(t, db); len(all) != 1 || all[0].Records != 400 {
		t.Errorf("told %+v", all)
	}
	if at, err := db.Retention(background); err != nil || at.Emptied != 0 || at.Next != 400 {
		t.Errorf("%+v, %v", at, err)
	}
}

type held struct{ Before, Until time.Time }

func holds(t *testing.T, db *store.DB) (all []held) {
	t.Helper()
	for _, e := range events(t, db) {
		var r struct {
			Path   string
			Result struct {
				Allow bool
				Code  string
			}
			Custom held
		}
		if err := json.Unmarshal([]byte(e), &r); err != nil {
			t.Fatal(err)
		}
		if r.Path != "pointgate/trail.hold" {
			continue
		}
		if r.Result.Allow || r.Result.Code != "retention_jump" {
			t.Errorf("no rule for alerts sees %s", e)
		}
		all = append(all, r.Custom)
	}
	return all
}

// TestMuchAtOnceWaitsAWeek: a log that is older than its retention, at first.
func TestMuchAtOnceWaitsAWeek(t *testing.T) {
	db := storetest.SQLite(t)
	storetest.Tenant(t, db, "demo")
	now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	days(t, db, now, 500)
	for i := range 7 {
		if err := retainer(t, db, now.Add(time.Duration(i)*aDay)).Pass(background); err == nil {
			t.Fatalf("day %d: it does not wait", i)
		}
	}
	if _, empty := kept(t, db); empty != 0 {
		t.Errorf("%d are empty", empty)
	}
	want := []held{{Before: now.Add(-400 * aDay), Until: now.Add(7 * aDay)}}
	if diff := cmp.Diff(want, holds(t, db)); diff != "" {
		t.Error(diff)
	}
	for i := 7; i < 20; i += 6 { // then it goes on, and six days at once are nothing to wait for
		if err := retainer(t, db, now.Add(time.Duration(i)*aDay)).Pass(background); err != nil {
			t.Fatal(err)
		}
		if _, empty := kept(t, db); empty != 2*(100+i) {
			t.Errorf("day %d: %d are empty", i, empty)
		}
	}
	if len(holds(t, db)) != 1 {
		t.Error("it waited again")
	}
}

func TestRetentionForEverIsNone(t *testing.T) {
	db := storetest.SQLite(t)
	r := retainerOf(db, time.Now())
	r.Keep = 0
	r.Wait = func(context.Context, time.Duration) error { t.Error("it runs"); return errors.New("stop") }
	r.Run(background)
}
