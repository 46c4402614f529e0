package audit_test

import (
	"context"
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
	"github.com/pointgate/pointgate/store/trail"
)

func eraser(db *store.DB, holder string) *audit.Eraser {
	return &audit.Eraser{
		Store: db, Log: quiet, Holder: holder, Events: &gate.Events{Store: db, Now: time.Now, NewID: uuid.NewString},
		Aliases: func(person string) []string { return []string{"pn_of_" + person} },
		Wait:    func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func ask(t *testing.T, db *store.DB, id, person string) {
	t.Helper()
	storetest.Write(t, db, func(tx *store.Tx) error {
		return tx.InsertErasure(background, &store.Erasure{
			ID: id, Tenant: "demo", Person: person, Pseudonym: "pn_x", Reason: "a letter", AskedBy: "stf_admin", RequestedAt: tx.Now(),
		})
	})
}

// sound wants the tree of the entries to be that of the head, and to go on from before.
func sound(t *testing.T, db *store.DB, before trail.Head) {
	t.Helper()
	head, err := db.Head(background)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := db.Entries(background, 0, head.Size)
	if err != nil {
		t.Fatal(err)
	}
	var tree trail.Frontier
	for i, e := range entries {
		if tree.Append(e.Leaf()); int64(i)+1 == before.Size && tree.Root() != before.Root {
			t.Error("the tree is another than before")
		}
	}
	if tree.Root() != head.Root {
		t.Error("the head is not that of the entries")
	}
}

// TestWhatNamesThePersonIsErased: wherever the name stands, and nothing else.
func TestWhatNamesThePersonIsErased(t *testing.T) {
	for name, tc := range map[string]struct {
		person string
		change func(r *store.Record)
		more   string // in input.context.request
		erased bool
	}{
		"the subject":            {"cus_a", func(*store.Record) {}, "", true},
		"another":                {"cus_b", func(*store.Record) {}, "", false},
		"a beginning of another": {"cus", func(*store.Record) {}, "", false},
		"another tenant":         {"cus_a", func(r *store.Record) { r.Tenant = "other" }, "", false},
		"the pseudonym":          {"cus_b", func(r *store.Record) { swap(r, "cus_a", "pn_of_cus_b") }, "", true},
		"the receiver":           {"cus_b", func(r *store.Record) { r.Related = "cus_b" }, "", true},
		"the subject alone":      {"cus_b", func(r *store.Record) { r.Subject = "cus_b" }, "", true},
		"a path":                 {"cus_b", func(*store.Record) {}, `,"path":"/admin/api/customers/cus_b"`, true},
		"a path, encoded":        {"cus_b", func(*store.Record) {}, `,"path":"/admin/api/customers/cus%5fb"`, true},
		"a path of another":      {"cus_b", func(*store.Record) {}, `,"path":"/admin/api/customers/cus_bc"`, false},
		"a query":                {"cus_b", func(*store.Record) {}, `,"path":"/api/points?customer_id=cus_b&limit=1"`, true},
		"a sentence":             {"cus_b", func(*store.Record) {}, `,"why":"there is no cus_b."`, true},
		"a word of another":      {"cus_b", func(*store.Record) {}, `,"why":"there is no cus_b-2."`, false},
		"a list":                 {"cus_b", func(*store.Record) {}, `,"people":["cus_c","cus_b"]`, true},
		"an owner":               {"cus_b", func(*store.Record) {}, `,"properties":{"owner":"cus_b"}`, true},
		"called like a tenant":   {"demo", func(*store.Record) {}, "", false},
		"called like a code":     {"points.read", func(*store.Record) {}, "", false},
		"a number in a sentence": {"1000", func(*store.Record) {}, `,"why":"at most 1000 points"`, false},
		"a number as an id":      {"1000", func(r *store.Record) { swap(r, "cus_a", "1000") }, "", true},
		"a tenant of that name": {"cus_b", func(r *store.Record) {
			swap(r, `"points_account","id":"cus_a"`, `"tenant","id":"cus_b"`)
			r.Resource, r.Action = "cus_b", "tenant.update"
		}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			db := storetest.SQLite(t)
			storetest.Tenant(t, db, "demo")
			storetest.Write(t, db, func(tx *store.Tx) error {
				r := record(tx.Now(), "dec-1", "cus_a", tc.more)
				tc.change(r)
				tx.Record(r)
				return nil
			})
			ask(t, db, "dec-wish", tc.person)
			if err := eraser(db, "one").Pass(background); err != nil {
				t.Fatal(err)
			}
			var got store.Record
			if err := db.Records(background, 0, 1, func(r *store.Record) error { got = *r; return nil }); err != nil {
				t.Fatal(err)
			}
			if got.Erased != tc.erased || (tc.erased && (got.ErasedBy != "dec-wish" || strings.Contains(fmt.Sprintf("%+v", got), "cus_a"))) {
				t.Errorf("erased %v, want %v: %+v", got.Erased, tc.erased, got)
			}
		})
	}
}

func swap(r *store.Record, from, to string) {
	r.Body = []byte(strings.ReplaceAll(string(r.Body), from, to))
	if r.Subject == from {
		r.Subject, r.Resource = to, to
	}
}

// TestAnErasureSurvivesKills breaks off at every step, also after it was done
// and before that was told, and goes on in another process.
func TestAnErasureSurvivesKills(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		for n := range 300 {
			storetest.Write(t, db, func(tx *store.Tx) error {
				tx.Record(record(tx.Now(), fmt.Sprintf("dec-%03d-a", n), "cus_a", ""))
				tx.Record(record(tx.Now(), fmt.Sprintf("dec-%03d-b", n), "cus_b", ""))
				return nil
			})
		}
		was := events(t, db)
		before, err := db.Head(background)
		if err != nil {
			t.Fatal(err)
		}
		ask(t, db, "dec-wish", "cus_a")
		killed := errors.New("killed")
		kills := 0
		for done := false; !done; kills++ {
			e := eraser(db, fmt.Sprint("node-", kills))
			e.Wait = func(context.Context, time.Duration) error { return killed } // after each step
			if kills%2 == 1 {
				e.Forget = func(context.Context, string, string, int64) error { return killed } // in front of the end
			}
			switch err := e.Pass(background); {
			case err == nil:
				done = true
			case !errors.Is(err, killed):
				t.Fatal(err)
			}
			if err := db.ReleaseLease(background, "erasures", e.Holder); err != nil {
				t.Fatal(err)
			}
		}
		if kills < 6 {
			t.Errorf("only %d kills", kills)
		}
		now := events(t, db)
		for i := range was {
			if erased := i%2 == 0; erased == (was[i] == now[i]) {
				t.Errorf("index %d: %s", i, now[i])
			}
		}
		var end struct {
			Input  struct{ Resource struct{ Type, ID string } }
			Custom struct {
				Erasure, Reason string
				AskedBy         string `json:"asked_by"`
				Records, Size   int64
			}
		}
		if len(now) != len(was)+1 || json.Unmarshal([]byte(now[len(was)]), &end) != nil {
			t.Fatalf("%d records after %d: %s", len(now), len(was), now[len(now)-1])
		}
		if c := end.Custom; c.Erasure != "dec-wish" || c.Records != 300 || c.Size != 600 || c.Reason != "a letter" || c.AskedBy != "stf_admin" ||
			end.Input.Resource.ID != "pn_x" || strings.Contains(now[len(was)], "cus_a") {
			t.Errorf("told: %s", now[len(was)])
		}
		row, err := store.GetErasure(background, db, "demo", "dec-wish")
		if err != nil || row.Person != "" || row.Records != 300 || row.DoneAt.IsZero() {
			t.Errorf("%+v, %v", row, err)
		}
		sound(t, db, before)
	})
}

// TestWhatComesLaterStays, and a second erasure takes it.
func TestWhatComesLaterStays(t *testing.T) {
	db := storetest.SQLite(t)
	storetest.Tenant(t, db, "demo")
	put(t, db, 3)
	ask(t, db, "first", "cus_a")
	put(t, db, 2)
	if err := eraser(db, "one").Pass(background); err != nil {
		t.Fatal(err)
	}
	ask(t, db, "second", "cus_a")
	by := func() (by []string) {
		_ = db.Records(background, 0, 5, func(r *store.Record) error { by = append(by, r.ErasedBy); return nil })
		return by
	}
	if diff := cmp.Diff([]string{"first", "first", "first", "", ""}, by()); diff != "" {
		t.Error(diff)
	}
	if err := eraser(db, "one").Pass(background); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"first", "first", "first", "second", "second"}, by()); diff != "" {
		t.Error(diff)
	}
}

func TestOneNodeErases(t *testing.T) {
	db := storetest.SQLite(t)
	storetest.Tenant(t, db, "demo")
	put(t, db, 3)
	ask(t, db, "wish", "cus_a")
	if held, err := db.Lease(background, "erasures", "two", time.Minute); err != nil || !held {
		t.Fatal(held, err)
	}
	if err := eraser(db, "one").Pass(background); err != nil {
		t.Fatal(err)
	}
	if e, err := db.NextErasure(background); err != nil || e.Position != 0 {
		t.Errorf("%+v, %v", e, err)
	}
}
