package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// raise raises an alert on key whose newest record has this index.
func raise(t *testing.T, db *store.DB, id, key string, evidence int64) (raised bool, a store.Alert) {
	t.Helper()
	a = store.Alert{
		ID: id, Tenant: "demo", Rule: "guessing", Key: key, Severity: "high", Title: "Somebody guesses",
		Detail: fmt.Sprint("seen up to ", evidence), Decisions: store.Words{fmt.Sprint("d", evidence)}, Evidence: evidence,
	}
	storetest.Write(t, db, func(tx *store.Tx) (err error) {
		raised, err = tx.RaiseAlert(context.Background(), &a)
		return err
	})
	return raised, a
}

func change(db *store.DB, tenant, id, state string) error {
	ctx := context.Background()
	return db.Write(ctx, func(tx *store.Tx) error { return tx.ChangeAlert(ctx, tenant, id, state, "stf_kim") })
}

func alertIDs(t *testing.T, db *store.DB, f store.AlertFilter) (ids []string) {
	t.Helper()
	if f.Limit == 0 {
		f.Limit = 10
	}
	alerts, err := store.Alerts(context.Background(), db, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts {
		ids = append(ids, a.ID)
	}
	return ids
}

func TestAlertsAreOneOfAKind(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		step := func(what, id string, evidence int64, raised bool, is string, count int64) {
			t.Helper()
			got, a := raise(t, db, id, "cus_a", evidence)
			if got != raised || a.ID != is || a.Count != count {
				t.Errorf("%s: raised %t, it is %s, count %d; want %t, %s, %d", what, got, a.ID, a.Count, raised, is, count)
			}
			kept, err := store.GetAlert(ctx, db, "demo", a.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*kept, a); diff != "" {
				t.Errorf("%s (-kept +told):\n%s", what, diff)
			}
		}
		step("the first", "one", 5, true, "one", 1)
		step("the same again", "x", 5, false, "one", 1)
		step("more", "x", 7, false, "one", 2)
		if err := change(db, "demo", "one", "acknowledged"); err != nil {
			t.Fatal(err)
		}
		step("more, while acknowledged", "x", 9, false, "one", 3)
		if err := change(db, "demo", "one", "closed"); err != nil {
			t.Fatal(err)
		}
		step("after the closing, the same", "x", 9, false, "one", 3)
		step("after the closing, more", "two", 11, true, "two", 1)
		if raised, _ := raise(t, db, "three", "cus_b", 1); !raised {
			t.Error("another key is another alert")
		}
		counts, err := db.AlertCounts(ctx)
		if diff := cmp.Diff([]store.AlertCount{{Rule: "guessing", Severity: "high", Open: 2}}, counts); err != nil || diff != "" {
			t.Error(err, diff)
		}
	})
}

// What was in the log when an alert was closed is no evidence for the next.
func TestAlertsAreClosedWithWhatTheLogHolds(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		for i := range 4 {
			r := &store.Record{ID: fmt.Sprint("d", i), At: store.At(db.Now()), Tenant: "demo", Action: "login.fail", Code: "x", Body: []byte(`{"custom":{"tenant":"demo"}}`)}
			if err := db.Append(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		raise(t, db, "one", "cus_a", 1)
		if err := change(db, "demo", "one", "closed"); err != nil {
			t.Fatal(err)
		}
		if raised, _ := raise(t, db, "two", "cus_a", 3); raised {
			t.Error("the last record before the closing raised another alert")
		}
		if raised, _ := raise(t, db, "two", "cus_a", 4); !raised {
			t.Error("the first record after the closing did not")
		}
	})
}

func TestAlertsGoForward(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		for _, way := range [][]string{
			{"acknowledged", "", "acknowledged", "conflict", "open", "conflict", "closed", "", "acknowledged", "conflict", "closed", "conflict", "open", "conflict"},
			{"closed", "", "acknowledged", "conflict"},
			{"nonsense", "conflict"},
		} {
			id := "alr_" + way[0]
			raise(t, db, id, way[0], 1)
			for i := 0; i < len(way); i += 2 {
				err := change(db, "demo", id, way[i])
				if got := map[bool]string{true: "conflict"}[errors.Is(err, store.ErrConflict)]; got != way[i+1] || err != nil && got == "" {
					t.Errorf("%v, step %d: %v", way, i/2, err)
				}
			}
		}
		a, err := store.GetAlert(ctx, db, "demo", "alr_closed")
		if err != nil || a.State != "closed" || a.ChangedBy != "stf_kim" || a.ChangedAt.IsZero() {
			t.Errorf("%+v, %v", a, err)
		}
		if err := change(db, "other", "alr_nonsense", "closed"); !errors.Is(err, store.ErrConflict) {
			t.Errorf("of another tenant: %v, want ErrConflict", err)
		}
		if _, err := store.GetAlert(ctx, db, "other", "alr_nonsense"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of another tenant: %v, want ErrNotFound", err)
		}
	})
}

func TestAlertsAreListed(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		begin := time.Now().Truncate(time.Microsecond)
		now := begin
		o.Now = func() time.Time { return now }
		db := storetest.Open(t, o)
		storetest.Tenant(t, db, "demo")
		for i, id := range []string{"a", "b", "c", "d"} {
			now = begin.Add(time.Duration(i/2) * time.Minute) // two at one instant
			raise(t, db, id, id, int64(i))
		}
		if err := change(db, "demo", "b", "closed"); err != nil {
			t.Fatal(err)
		}
		minute := store.At(begin.Add(time.Minute))
		for name, c := range map[string]struct {
			f    store.AlertFilter
			want []string
		}{
			"all, newest first": {store.AlertFilter{}, []string{"d", "c", "b", "a"}},
			"open":              {store.AlertFilter{State: "open"}, []string{"d", "c", "a"}},
			"rule":              {store.AlertFilter{Rule: "reuse"}, nil},
			"severity":          {store.AlertFilter{Severity: "high", State: "closed"}, []string{"b"}},
			"from":              {store.AlertFilter{From: minute}, []string{"d", "c"}},
			"to":                {store.AlertFilter{To: minute}, []string{"b", "a"}},
			"a page":            {store.AlertFilter{Limit: 1}, []string{"d"}},
			"the next":          {store.AlertFilter{After: store.AlertPosition{RaisedAt: minute, ID: "d"}}, []string{"c", "b", "a"}},
		} {
			t.Run(name, func(t *testing.T) {
				c.f.Tenant = "demo"
				if diff := cmp.Diff(c.want, alertIDs(t, db, c.f)); diff != "" {
					t.Error(diff)
				}
			})
		}
		if got := alertIDs(t, db, store.AlertFilter{Tenant: "other"}); got != nil {
			t.Errorf("another tenant has %v", got)
		}
		for _, c := range []struct {
			days int
			want []string
		}{{399, []string{"d", "c", "b", "a"}}, {401, []string{"d", "c", "a"}}} {
			now = begin.Add(time.Duration(c.days) * 24 * time.Hour)
			storetest.Write(t, db, func(tx *store.Tx) error { _, err := tx.DeleteAlerts(context.Background(), 10); return err })
			if diff := cmp.Diff(c.want, alertIDs(t, db, store.AlertFilter{Tenant: "demo"})); diff != "" {
				t.Errorf("after %d days: %s", c.days, diff)
			}
		}
	})
}

// Who is erased is in no alert any more; others, whose ids look alike, are.
func TestAlertsForgetAPerson(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		for i, key := range []string{"cus_a", "cus_a web", "account cus_a", "cus_ab", "cusxa", "address 192.0.2.1"} {
			raise(t, db, fmt.Sprint("alr_", i), key, 1)
		}
		for tenant, want := range map[string]int64{"other": 0, "demo": 3} {
			storetest.Write(t, db, func(tx *store.Tx) error {
				n, err := tx.EraseAlerts(ctx, tenant, "cus_a")
				if n != want {
					t.Errorf("of %s, %d were erased, want %d", tenant, n, want)
				}
				return err
			})
		}
		for i, want := range []string{"erased alr_0, ", "erased alr_1, ", "erased alr_2, ", "cus_ab, seen up to 1", "cusxa, seen up to 1", "address 192.0.2.1, seen up to 1"} {
			a, err := store.GetAlert(ctx, db, "demo", fmt.Sprint("alr_", i))
			if err != nil || a.Key+", "+a.Detail != want || a.Decisions[0] != "d1" {
				t.Errorf("%+v, %v, want %s", a, err, want)
			}
		}
		if raised, _ := raise(t, db, "new", "cus_a", 1); !raised {
			t.Error("what is found afterwards is no other alert")
		}
	})
}
