package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func record(db *store.DB, id string) *store.Record {
	return &store.Record{ID: id, At: store.At(db.Now()), Tenant: "t", Action: "points.read", Code: "ok", Status: 200, Allow: true, Body: []byte(`{"decision_id":"` + id + `","custom":{"tenant":"t"}}`)}
}

// TestWriteIsAllOrNothing: what a write did and what it recorded happen
// together, and a neighbour's failure is nobody else's.
func TestWriteIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		boom := errors.New("boom")
		var wg sync.WaitGroup
		errs := make([]error, 60)
		for i := range errs {
			wg.Go(func() {
				errs[i] = db.Write(ctx, func(tx *store.Tx) error {
					if err := tx.SetMark(ctx, fmt.Sprintf("m%02d", i), "x"); err != nil {
						return err
					}
					tx.Record(record(db, fmt.Sprintf("d%02d", i)))
					switch i % 3 {
					case 1:
						return boom
					case 2:
						panic("an effect that panics")
					}
					return nil
				})
			})
		}
		wg.Wait()
		for i, err := range errs {
			_, markErr := db.Mark(ctx, fmt.Sprintf("m%02d", i))
			_, recErr := db.Decision(ctx, "t", fmt.Sprintf("d%02d", i))
			if i%3 == 0 {
				if err != nil || markErr != nil || recErr != nil {
					t.Errorf("write %d: %v, its mark %v, its record %v; want all there", i, err, markErr, recErr)
				}
				continue
			}
			if err == nil || !errors.Is(markErr, store.ErrNotFound) || !errors.Is(recErr, store.ErrNotFound) {
				t.Errorf("write %d failed as %v, its mark %v, its record %v; want nothing left", i, err, markErr, recErr)
			}
			if i%3 == 1 && !errors.Is(err, boom) {
				t.Errorf("write %d: %v, want its own error", i, err)
			}
		}
	})
}

// TestIndexesAreContiguous: under many writers of both kinds the log has every
// index once, from 0 to its size, also after it was opened again.
func TestIndexesAreContiguous(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		ctx := context.Background()
		for round := range 2 {
			db, err := store.Open(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for i := range 100 {
				wg.Go(func() {
					r := record(db, fmt.Sprintf("%d-%03d", round, i))
					var err error
					if i%2 == 0 {
						err = db.Append(ctx, r)
					} else {
						err = db.Write(ctx, func(tx *store.Tx) error { tx.Record(r); return nil })
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		db := storetest.Open(t, o)
		all, err := db.Decisions(ctx, store.DecisionFilter{Tenant: "t", Tail: true, After: -1, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range all {
			if r.Index != int64(i) {
				t.Fatalf("place %d holds index %d", i, r.Index)
			}
		}
		size, err := db.LogSize(ctx)
		if err != nil || size != 200 || len(all) != 200 {
			t.Errorf("size %d, %d records, %v; want 200", size, len(all), err)
		}
	})
}

// TestSavepointKeepsTheRecord: an effect that the store refuses is undone, and
// its record stays.
func TestSavepointKeepsTheRecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		err := db.Write(ctx, func(tx *store.Tx) error {
			err := tx.Savepoint(func() error {
				if err := tx.SetMark(ctx, "inner", "x"); err != nil {
					return err
				}
				return &store.Conflict{Code: "insufficient_points"}
			})
			if !errors.Is(err, store.ErrConflict) {
				return fmt.Errorf("savepoint gave %w", err)
			}
			tx.Record(record(db, "kept"))
			return tx.SetMark(ctx, "outer", "x")
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Mark(ctx, "inner"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("inner mark: %v, want it undone", err)
		}
		if _, err := db.Mark(ctx, "outer"); err != nil {
			t.Errorf("outer mark: %v", err)
		}
		if _, err := db.Decision(ctx, "t", "kept"); err != nil {
			t.Errorf("record: %v", err)
		}
	})
}

// TestAfterAFailedGroupTheNextOneWorks: a row in the place of the group's breaks
// the whole group; nobody in it is told yes, and the writer recovers.
func TestAfterAFailedGroupTheNextOneWorks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		if err := db.Append(ctx, record(db, "same")); err != nil {
			t.Fatal(err)
		}
		err := db.Write(ctx, func(tx *store.Tx) error {
			tx.Record(record(db, "same"))
			_, err := tx.Exec(ctx, `INSERT INTO batches SELECT first + 1, count, entries, keys, bodies FROM batches`)
			return err
		})
		if !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("a taken place: %v, want ErrUnavailable", err)
		}
		if err := db.Append(ctx, record(db, "other")); err != nil {
			t.Fatalf("the next: %v", err)
		}
		got, err := db.Decision(ctx, "t", "other")
		if err != nil || got.Index != 1 {
			t.Errorf("index %v, %v; want 1: the failed group took none", got, err)
		}
	})
}

func TestWithdrawnWriteDoesNothing(t *testing.T) {
	db := storetest.SQLite(t)
	ctx, cancel := context.WithCancel(context.Background())
	inside, goOn := make(chan struct{}), make(chan struct{})
	go func() {
		_ = db.Write(context.Background(), func(*store.Tx) error { close(inside); <-goOn; return nil })
	}()
	<-inside
	result := make(chan error, 1)
	go func() {
		result <- db.Write(ctx, func(tx *store.Tx) error { return tx.SetMark(ctx, "late", "x") })
	}()
	cancel()
	if err := <-result; !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("withdrawn: %v, want ErrUnavailable", err)
	}
	close(goOn)
	if err := db.Append(context.Background(), record(db, "after")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Mark(context.Background(), "late"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the withdrawn write happened: %v", err)
	}
}

func TestBelowTheDiskReserveNothingIsWritten(t *testing.T) {
	db := storetest.Open(t, store.Options{Dir: t.TempDir(), Reserve: 1 << 60})
	ctx := context.Background()
	if err := db.Ping(ctx); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("ping: %v, want ErrUnavailable", err)
	}
	if err := db.Append(ctx, record(db, "x")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("append: %v, want ErrUnavailable", err)
	}
	if n, err := db.LogSize(ctx); err != nil || n != 0 {
		t.Errorf("size %d, %v; want 0", n, err)
	}
}

func TestDecisionsAreFiltered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		for i, r := range []store.Record{
			{ID: "aa1", Tenant: "t", Subject: "alice", Client: "web", Action: "points.read", Resource: "alice", Allow: true, Code: "ok", Request: "r1"},
			{ID: "aa2", Tenant: "t", Subject: "alice", Client: "spa", Action: "points.redeem", Resource: "bob", Code: "not_owner", Request: "r2"},
			{ID: "ab3", Tenant: "t", Subject: "bob", Client: "web", Action: "points.read", Resource: "bob", Allow: true, Code: "ok", Request: "r3"},
			{ID: "aa4", Tenant: "u", Subject: "alice", Client: "web", Action: "points.read", Resource: "alice", Allow: true, Code: "ok", Request: "r1"},
		} {
			r.At, r.Body = store.Time{Time: db.Now().UTC()}, []byte(`{"custom":{"tenant":"t"}}`)
			if err := db.Append(ctx, &r); err != nil {
				t.Fatalf("record %d: %v", i, err)
			}
		}
		yes, no := true, false
		for name, tc := range map[string]struct {
			f    store.DecisionFilter
			want []string
		}{
			"all of the tenant, newest first": {store.DecisionFilter{}, []string{"ab3", "aa2", "aa1"}},
			"subject":                         {store.DecisionFilter{Subject: "alice"}, []string{"aa2", "aa1"}},
			"client":                          {store.DecisionFilter{Client: "web"}, []string{"ab3", "aa1"}},
			"action":                          {store.DecisionFilter{Action: "points.redeem"}, []string{"aa2"}},
			"resource":                        {store.DecisionFilter{Resource: "bob"}, []string{"ab3", "aa2"}},
			"allowed":                         {store.DecisionFilter{Allow: &yes}, []string{"ab3", "aa1"}},
			"denied":                          {store.DecisionFilter{Allow: &no}, []string{"aa2"}},
			"code":                            {store.DecisionFilter{Code: "not_owner"}, []string{"aa2"}},
			"request":                         {store.DecisionFilter{Request: "r1"}, []string{"aa1"}},
			"prefix of the id":                {store.DecisionFilter{Prefix: "aa"}, []string{"aa2", "aa1"}},
			"before an index":                 {store.DecisionFilter{Before: 2}, []string{"aa2", "aa1"}},
			"tail after an index":             {store.DecisionFilter{Tail: true, After: 0}, []string{"aa2", "ab3"}},
			"from the future":                 {store.DecisionFilter{From: store.At(db.Now().Add(1e12))}, nil},
			"a wildcard is no prefix":         {store.DecisionFilter{Prefix: "a%"}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				tc.f.Tenant, tc.f.Limit = "t", 10
				got, err := db.Decisions(ctx, tc.f)
				if err != nil {
					t.Fatal(err)
				}
				var ids []string
				for _, r := range got {
					ids = append(ids, r.ID)
				}
				if diff := cmp.Diff(tc.want, ids); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}
