package storetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
	"github.com/pointgate/pointgate/store/trail"
)

// about is a record of a person's, with the members that a body has of it.
func about(person string, n int, at time.Time) *store.Record {
	r := &store.Record{
		ID: fmt.Sprintf("dec-%06d", n), At: store.At(at), Tenant: "demo", Subject: person, Client: "web", Action: "points.read",
		Resource: person, Related: "cus_other", Allow: true, Code: "ok", Status: 200, Request: fmt.Sprintf("req-%06d", n), Grant: "gra_1",
		IP: "192.0.2.1", Rules: store.Words{"one", "two"},
	}
	r.Body = fmt.Appendf(nil, `{"decision_id":%q,"timestamp":%q,"requested_by":"192.0.2.1","input":{"subject":{"id":%q},"action":{"name":"points.read"},"resource":{"id":%q},`+
		`"context":{"client":{"id":"web"},"request":{"id":%q}}},"result":{"allow":true,"reasons":[{"rule":"one"},{"rule":"two"}]},`+
		`"custom":{"tenant":"demo","status":200,"code":"ok","grant":"gra_1","related":"cus_other"}}`,
		r.ID, r.At.Format(time.RFC3339Nano), person, person, r.Request)
	return r
}

func put(t *testing.T, db *store.DB, records ...*store.Record) {
	t.Helper()
	storetest.Write(t, db, func(tx *store.Tx) error {
		for _, r := range records {
			tx.Record(r)
		}
		return nil
	})
}

func logOf(t *testing.T, db *store.DB) (all []store.Record) {
	t.Helper()
	size, err := db.LogSize(context.Background())
	if err == nil {
		err = db.Records(context.Background(), 0, size, func(r *store.Record) error { all = append(all, *r); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sound wants the tree to be that of the entries, and every record that has its
// body to be what its entry commits to.
func sound(t *testing.T, db *store.DB, o store.Options, before trail.Head, erased int64) {
	t.Helper()
	ctx := context.Background()
	head, err := db.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := db.Entries(ctx, 0, head.Size)
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
	inspector, err := store.Inspect(o)
	if err != nil {
		t.Fatal(err)
	}
	defer inspector.Close()
	if _, err := inspector.Log(ctx); err != nil {
		t.Error(err)
	}
	v, err := inspector.Verify(ctx, []store.Claim{{Head: before, Where: "before"}}, nil)
	if err != nil || len(v.Findings) > 0 || v.Erased != erased {
		t.Errorf("verify: %v, %v, %d erased, want %d", err, v.Findings, v.Erased, erased)
	}
}

func none(*store.Tx, int64, int64) error { return nil }

func TestRecordsAreEmptied(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db, ctx := storetest.Open(t, o), context.Background()
		now := time.Now()
		for n := 0; n < 12; n += 3 { // three people in each row
			put(t, db, about("cus_a", n, now), about("cus_b", n+1, now), about("cus_c", n+2, now))
		}
		allowed := about("stf_a", 12, now) // the log says who allowed it
		allowed.ID, allowed.Action = "dec-wish", "erasure.create"
		allowed.Body = bytes.ReplaceAll(bytes.ReplaceAll(allowed.Body, []byte("dec-000012"), []byte("dec-wish")), []byte("points.read"), []byte("erasure.create"))
		put(t, db, allowed)
		was := logOf(t, db)
		head, err := db.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var told []int64
		e := store.Emptying{From: 1, To: 10, By: "dec-wish", Gone: func(r *store.Record) bool { return r.Subject == "cus_a" }}
		next, n, err := db.Empty(ctx, e, func(_ *store.Tx, next, n int64) error { told = append(told, next, n); return nil })
		if err != nil || next != 10 || n != 3 || len(told) != 2 || told[0] != 10 || told[1] != 3 {
			t.Fatalf("next %d, emptied %d, told %v, %v; want 10, and indexes 3, 6 and 9", next, n, told, err)
		}
		for i, r := range logOf(t, db) {
			want := was[i]
			if i == 3 || i == 6 || i == 9 {
				want = store.Record{
					Index: want.Index, ID: want.ID, At: want.At, Tenant: "demo", Client: "web", Action: "points.read", Allow: true, Code: "ok",
					Status: 200, Rules: want.Rules, Erased: true, ErasedBy: "dec-wish", Entry: want.Entry,
				}
			}
			if diff := cmp.Diff(want, r, cmpopts.IgnoreUnexported(store.Record{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("index %d (-want +got):\n%s", i, diff)
			}
			if !json.Valid(r.Event()) || r.Erased && bytes.Contains(r.Event(), []byte("cus_")) {
				t.Errorf("index %d: %s", i, r.Event())
			}
		}
		done := about("stf_a", 13, now) // and that it was done
		done.Action = "erasure.finish"
		done.Body = bytes.ReplaceAll(done.Body, []byte("points.read"), []byte("erasure.finish"))
		done.Body = bytes.Replace(done.Body, []byte(`"custom":{`), []byte(`"custom":{"erasure":"dec-wish","size":12,"records":3,`), 1)
		put(t, db, done)
		sound(t, db, o, head, 3)
		if _, n, err := db.Empty(ctx, e, none); err != nil || n != 0 {
			t.Errorf("again: %d, %v", n, err)
		}
		put(t, db, about("cus_a", 99, now))
		sound(t, db, o, head, 3)
	})
}

// TestEmptyingIsAllOrNothing: what goes with a step fails, and nothing has happened.
func TestEmptyingIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		put(t, db, about("cus_a", 0, time.Now()))
		e := store.Emptying{To: 1, Gone: func(*store.Record) bool { return true }}
		failed := errors.New("failed")
		if next, n, err := db.Empty(context.Background(), e, func(*store.Tx, int64, int64) error { return failed }); !errors.Is(err, failed) || next != 0 || n != 0 {
			t.Errorf("%d, %d, %v", next, n, err)
		}
		if logOf(t, db)[0].Erased {
			t.Error("the record is emptied")
		}
	})
}

// TestEmptyingTakesBoundedSteps: 200 rows are three writes and none is looked at twice.
func TestEmptyingTakesBoundedSteps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for n := range 200 {
			put(t, db, about("cus_a", n, time.Now()))
		}
		var steps []int64
		for from := int64(0); from < 200; {
			next, n, err := db.Empty(context.Background(), store.Emptying{From: from, To: 200, Gone: func(*store.Record) bool { return true }}, none)
			if err != nil {
				t.Fatal(err)
			}
			steps, from = append(steps, n), next
		}
		if diff := cmp.Diff([]int64{64, 64, 64, 8}, steps); diff != "" {
			t.Error(diff)
		}
		next, n, err := db.Empty(context.Background(), store.Emptying{To: 200, Look: 30, May: func([]byte) bool { return false }}, none)
		if next != 30 || n != 0 || err != nil {
			t.Errorf("30 rows that can't hold anything: next %d, %d, %v", next, n, err)
		}
	})
}

// TestErasedBytesAreGone searches the files of SQLite for what was erased, of
// one person after the other: what is moved for the one must not leave copies of
// the other.
func TestErasedBytesAreGone(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	db := storetest.Open(t, store.Options{Dir: dir})
	storetest.Tenant(t, db, "demo")
	people := []string{"cus_secretive", "cus_reticent", "cus_taciturn"}
	for n := range 300 {
		var row []*store.Record
		for i := range 1 + n%4 {
			row = append(row, about(people[(n+i)%3], 4*n+i, time.Now()))
		}
		put(t, db, append(row, about("cus_loud", 4*n+3, time.Now()))...)
	}
	size, err := db.LogSize(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i, person := range people {
		id := fmt.Sprint("dec-", i)
		storetest.Write(t, db, func(tx *store.Tx) error {
			return tx.InsertErasure(ctx, &store.Erasure{ID: id, Tenant: "demo", Person: person, RequestedAt: tx.Now()})
		})
		if err := db.Index(ctx); err != nil {
			t.Fatal(err)
		}
		if n := occurrences(t, dir, person); n < 250 {
			t.Fatalf("%s stands there %d times: the test looks in the wrong place", person, n)
		}
		for from := int64(0); from < size; {
			from, _, err = db.Empty(ctx, store.Emptying{From: from, To: size, Gone: func(r *store.Record) bool { return r.Subject == person }}, none)
			if err != nil {
				t.Fatal(err)
			}
		}
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.FinishErasure(ctx, id) })
		if err := db.Scrub(ctx); err != nil {
			t.Fatal(err)
		}
		if n := occurrences(t, dir, person); n != 0 {
			t.Errorf("%s still stands in the files, %d times", person, n)
		}
	}
	if n := occurrences(t, dir, "cus_loud"); n < 300 {
		t.Errorf("the other's stands there %d times", n)
	}
}

func occurrences(t *testing.T, dir, text string) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(raw, []byte(text))
	}
	return n
}

func TestErasures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		storetest.Tenant(t, db, "demo")
		put(t, db, about("cus_a", 0, time.Now()), about("cus_a", 1, time.Now()))
		if _, err := db.NextErasure(ctx); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("none was asked for: %v", err)
		}
		var asked []string
		for i := range 3 {
			id := fmt.Sprint("dec-", i)
			asked = append([]string{id}, asked...)
			storetest.Write(t, db, func(tx *store.Tx) error {
				return tx.InsertErasure(ctx, &store.Erasure{
					ID: id, Tenant: "demo", Person: "cus_a", Pseudonym: "pn_a", Reason: "asked", AskedBy: "stf_a",
					RequestedAt: store.At(tx.Now().Add(time.Duration(i) * time.Second)),
				})
			})
		}
		next, err := db.NextErasure(ctx)
		if err != nil || next.ID != "dec-0" || next.Size != 2 || next.Person != "cus_a" {
			t.Fatalf("%+v, %v", next, err)
		}
		for _, step := range [][2]int64{{1, 1}, {2, 1}, {1, 1}} { // the last is late: what it emptied counts, its place does not
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.AdvanceErasure(ctx, "dec-0", step[0], step[1]) })
		}
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.FinishErasure(ctx, "dec-0") })
		if err := db.Write(ctx, func(tx *store.Tx) error { return tx.FinishErasure(ctx, "dec-0") }); !errors.Is(err, store.ErrConflict) {
			t.Errorf("twice: %v", err)
		}
		if err := db.Write(ctx, func(tx *store.Tx) error { return tx.AdvanceErasure(ctx, "dec-0", 2, 1) }); !errors.Is(err, store.ErrConflict) {
			t.Errorf("a step after the end: %v", err)
		}
		done, err := store.GetErasure(ctx, db, "demo", "dec-0")
		if err != nil || done.Person != "" || done.Position != 2 || done.Records != 3 || done.DoneAt.IsZero() || done.Pseudonym != "pn_a" {
			t.Errorf("%+v, %v", done, err)
		}
		if _, err := store.GetErasure(ctx, db, "other", "dec-0"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another tenant's: %v", err)
		}
		if next, err := db.NextErasure(ctx); err != nil || next.ID != "dec-1" {
			t.Errorf("%+v, %v", next, err)
		}
		var listed []string
		f := store.ErasureFilter{Tenant: "demo", Limit: 2}
		for range 2 {
			page, err := store.Erasures(ctx, db, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				listed = append(listed, e.ID)
				f.After = store.ErasurePosition{RequestedAt: e.RequestedAt, ID: e.ID}
			}
		}
		if diff := cmp.Diff(asked, listed); diff != "" {
			t.Error(diff)
		}
	})
}

// TestWhatTellsOfEmptyingIsNeverEmptied: without it, nobody can check the rest.
func TestWhatTellsOfEmptyingIsNeverEmptied(t *testing.T) {
	db, ctx := storetest.SQLite(t), context.Background()
	now := time.Now()
	for i, action := range []string{"erasure.create", "points.read", "erasure.finish", "trail.retain", "trail.hold"} {
		r := about("cus_a", i, now.AddDate(0, 0, -9))
		r.Action = action
		put(t, db, r)
	}
	s, err := db.EmptyOld(ctx, 0, now, func(*store.Tx, store.OldStep) error { return nil })
	if want := (store.OldStep{Looked: 5, Left: 5, Emptied: 2, Old: 5}); err != nil || s != want {
		t.Errorf("%+v, %v; want %+v", s, err, want)
	}
	var erased []bool
	for _, r := range logOf(t, db) {
		erased = append(erased, r.Erased)
	}
	if diff := cmp.Diff([]bool{false, true, false, false, true}, erased); diff != "" {
		t.Error(diff)
	}
	if old, err := db.AnyOld(ctx, 0, now); err != nil || old {
		t.Errorf("%v, %v", old, err)
	}
}

func TestOldRecordsAreEmptied(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db, ctx := storetest.Open(t, o), context.Background()
		now := time.Now()
		day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
		for i, at := range []time.Time{day(9), day(8), day(1), day(7), day(2), day(0)} { // the third's clock was ahead
			put(t, db, about("cus_a", i, at))
		}
		head, err := db.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := db.Retention(ctx); err != nil || r != (store.Retention{}) {
			t.Errorf("at first: %+v, %v", r, err)
		}
		for age, want := range map[int]bool{5: true, 10: false} {
			if old, err := db.AnyOld(ctx, 0, day(age)); err != nil || old != want {
				t.Errorf("any that is older than %d days: %v, %v", age, old, err)
			}
		}
		var told store.OldStep
		s, err := db.EmptyOld(ctx, 0, day(5), func(tx *store.Tx, s store.OldStep) error {
			told = s
			return tx.SetRetention(ctx, store.Retention{Next: s.Left, Reached: s.Old, Reported: 1, Emptied: s.Emptied, DoneAt: store.At(now), HeldAt: store.At(day(1))})
		})
		want := store.OldStep{Looked: 6, Left: 2, Emptied: 3, Old: 4}
		if err != nil || s != want || told != want {
			t.Errorf("%+v, told %+v, %v; want %+v", s, told, err, want)
		}
		if r, err := db.Retention(ctx); err != nil || r != (store.Retention{Next: 2, Reached: 4, Reported: 1, Emptied: 3, DoneAt: store.At(now), HeldAt: store.At(day(1))}) {
			t.Errorf("%+v, %v", r, err)
		}
		var erased []bool
		for _, r := range logOf(t, db) {
			erased = append(erased, r.Erased)
		}
		if diff := cmp.Diff([]bool{true, true, false, true, false, false}, erased); diff != "" {
			t.Error(diff)
		}
		sound(t, db, o, head, 3)
		if old, err := db.AnyOld(ctx, 0, day(5)); err != nil || old {
			t.Errorf("what is empty is not old any more: %v, %v", old, err)
		}
		if s, err := db.EmptyOld(ctx, 4, day(5), func(*store.Tx, store.OldStep) error { return nil }); err != nil || s != (store.OldStep{Looked: 6, Left: 4}) {
			t.Errorf("where nothing is old: %+v, %v", s, err)
		}
		if s, err := db.EmptyOld(ctx, 6, day(5), func(*store.Tx, store.OldStep) error { t.Error("a write for nothing"); return nil }); err != nil || s.Looked != 6 {
			t.Errorf("at the end: %+v, %v", s, err)
		}
	})
}
