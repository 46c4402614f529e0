package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// inIndex runs a statement in the database that has the search index.
func inIndex(t *testing.T, o store.Options, db *store.DB, statement string) {
	t.Helper()
	if o.URL != "" {
		storetest.Write(t, db, func(tx *store.Tx) error { _, err := tx.Exec(background, statement); return err })
		return
	}
	raw, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: filepath.Join(o.Dir, store.IndexFile)}).EscapedPath()+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// isWhole wants the index to have all of the log, and nothing wrong with it.
func isWhole(t *testing.T, o store.Options) {
	t.Helper()
	if n, size, err := inspect(t, o).Index(background); n != size || size == 0 || err != nil {
		t.Errorf("the index has %d of %d, %v", n, size, err)
	}
}

// TestABrokenIndexIsMadeAnew while the server runs; lists are right meanwhile.
func TestABrokenIndexIsMadeAnew(t *testing.T) {
	for name, statement := range map[string]string{
		"no row that says how far it is": `DELETE FROM search_meta`,
		"another version":                `UPDATE search_meta SET version = 77`,
		"of another log":                 `UPDATE search_meta SET entry = salt`,
		"ahead of the log":               `UPDATE search_meta SET position = 100000`,
		"no table":                       `DROP TABLE search_slots`,
		"sets of other rows":             `UPDATE search_slots SET data = (SELECT data FROM search_slots ORDER BY id LIMIT 1)`,
		"sets that are cut":              `UPDATE search_slots SET data = substr(data, 1, 3)`,
		"no spans":                       `DELETE FROM search_chunks`,
		"no times":                       `DELETE FROM search_times`,
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachOptions(t, func(t *testing.T, o store.Options) {
				var anew atomic.Int64
				o.Observe = &store.Observer{Index: func(_, _ int64, err error) {
					if err != nil {
						anew.Add(1)
					}
				}}
				db := storetest.Open(t, o)
				l := newLibrary()
				l.write(t, db, 700)
				if err := db.Index(background); err != nil {
					t.Fatal(err)
				}
				inIndex(t, o, db, statement)
				l.check(t, db, 15)
				l.checkCounts(t, db, 1)
				l.write(t, db, 100) // what follows meets the damage
				if err := db.Index(background); err != nil {
					t.Fatal(err)
				}
				if anew.Load() == 0 {
					t.Error("nobody was told")
				}
				isWhole(t, o)
				l.check(t, db, 15)
				l.checkCounts(t, db, 1)
			})
		})
	}
}

// TestAnIndexFileThatIsNoGood at the start: SQLite.
func TestAnIndexFileThatIsNoGood(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"gone":    os.Remove,
		"empty":   func(file string) error { return os.Truncate(file, 0) },
		"cut":     func(file string) error { return os.Truncate(file, 20_000) },
		"garbage": func(file string) error { return os.WriteFile(file, bytes.Repeat([]byte("garbage "), 9999), 0o600) },
		"a hole": func(file string) error {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt(make([]byte, 60_000), 8192)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := store.Options{Dir: t.TempDir()}
			db := storetest.Open(t, o)
			l := newLibrary()
			l.write(t, db, 700)
			if err := db.Index(background); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := spoil(filepath.Join(o.Dir, store.IndexFile)); err != nil {
				t.Fatal(err)
			}
			db = storetest.Open(t, o)
			l.check(t, db, 15)
			l.write(t, db, 10)
			if err := db.Index(background); err != nil {
				t.Fatal(err)
			}
			l.check(t, db, 15)
			l.checkCounts(t, db, 1)
			if err := db.Index(background); err != nil { // what a list has found broken
				t.Fatal(err)
			}
			l.check(t, db, 15)
			isWhole(t, o)
		})
	}
}

// TestAnIndexThatIsDeletedWhileItIsUsed is made anew by who writes next.
func TestAnIndexThatIsDeletedWhileItIsUsed(t *testing.T) {
	o := store.Options{Dir: t.TempDir()}
	db := storetest.Open(t, o)
	l := newLibrary()
	for range 3 {
		l.write(t, db, 300)
		if err := db.Index(background); err != nil {
			t.Fatal(err)
		}
		isWhole(t, o)
		if err := os.Remove(filepath.Join(o.Dir, store.IndexFile)); err != nil {
			t.Fatal(err)
		}
		l.check(t, db, 10)
	}
}

// TestAStepThatIsInterrupted leaves the index where it was or where it is going.
func TestAStepThatIsInterrupted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLibrary()
		for i := range 12 {
			l.write(t, db, 200)
			ctx, cancel := context.WithTimeout(background, time.Duration(2*i)*time.Millisecond)
			_ = db.Index(ctx)
			cancel()
			l.check(t, db, 4)
		}
		if err := db.Index(background); err != nil {
			t.Fatal(err)
		}
		l.check(t, db, 50)
		l.checkCounts(t, db, 1)
	})
}

// TestNodesShareAnIndex: on one PostgreSQL each sees what the other committed,
// whoever indexed it.
func TestNodesShareAnIndex(t *testing.T) {
	o := store.Options{URL: storetest.Postgres(t), Dir: t.TempDir()}
	a, b := storetest.Open(t, o), storetest.Open(t, o)
	l := newLibrary()
	done := make(chan error, 2)
	for range 6 {
		go func() { done <- a.Index(background) }()
		go func() { done <- b.Index(background) }()
		l.write(t, a, 150)
		l.check(t, b, 10)
		l.write(t, b, 150)
		l.check(t, a, 10)
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 3 { // both find the damage
		inIndex(t, o, a, `DROP TABLE search_slots`)
		go func() { done <- a.Index(background) }()
		go func() { done <- b.Index(background) }()
		for range 2 {
			if err := <-done; err != nil {
				t.Log(err) // the other has made it anew meanwhile
			}
		}
		l.write(t, a, 50)
		l.check(t, b, 10)
		for _, node := range []*store.DB{a, b} {
			if err := node.Index(background); err != nil {
				t.Fatal(err)
			}
		}
		l.check(t, a, 15)
		isWhole(t, o)
	}
}

// TestWhatIsErasedLeavesTheIndex: nothing leads from a person to their records
// any more, in lists, counts or the bytes of the file, and an index that is made
// anew is the same.
func TestWhatIsErasedLeavesTheIndex(t *testing.T) {
	const person = "cus_who_must_be_forgotten"
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db := storetest.Open(t, o)
		l := newLibrary()
		for range 5 {
			l.write(t, db, 100)
			r := l.record()
			r.Subject, r.Grant = person, "grt_"+person
			if err := db.Append(background, r); err != nil {
				t.Fatal(err)
			}
			l.all = append(l.all, *r)
			if err := db.Index(background); err != nil {
				t.Fatal(err)
			}
		}
		l.check(t, db, 20)
		e := store.Emptying{To: int64(len(l.all)), By: "d", Gone: func(r *store.Record) bool { return r.Subject == person }}
		if _, n, err := db.Empty(background, e, func(*store.Tx, int64, int64) error { return nil }); n != 5 || err != nil {
			t.Fatal(n, err)
		}
		for i := range l.all {
			if r := &l.all[i]; r.Subject == person {
				r.Subject, r.Resource, r.Related, r.Request, r.Grant = "", "", "", "", ""
			}
		}
		again := func(when string) {
			l.check(t, db, 40)
			l.checkCounts(t, db, 3)
			for _, f := range []store.DecisionFilter{{Subject: person}, {Grant: "grt_" + person}} {
				for _, tenant := range []string{"t0", "t1"} {
					f.Tenant, f.Limit = tenant, 10
					if got, err := db.Decisions(background, f); len(got) > 0 || err != nil {
						t.Errorf("%s: %d records, %v", when, len(got), err)
					}
				}
			}
		}
		again("before the index knows")
		if err := db.Scrub(background); err != nil {
			t.Fatal(err)
		}
		again("after it")
		if o.URL == "" {
			for _, suffix := range []string{"", "-wal"} { // while it runs
				raw, err := os.ReadFile(filepath.Join(o.Dir, store.IndexFile+suffix))
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(raw), person) {
					t.Errorf("the person is in %s%s", store.IndexFile, suffix)
				}
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if o.URL == "" {
			if err := os.Remove(filepath.Join(o.Dir, store.IndexFile)); err != nil {
				t.Fatal(err)
			}
		}
		db = storetest.Open(t, o)
		if err := db.Index(background); err != nil {
			t.Fatal(err)
		}
		again("made anew")
	})
}

// TestTheIndexHoldsUpNobody: records are written, and found, while a step waits.
func TestTheIndexHoldsUpNobody(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		inside, goOn := make(chan struct{}), make(chan struct{})
		var once atomic.Bool
		o.Observe = &store.Observer{Index: func(int64, int64, error) {
			if once.CompareAndSwap(false, true) {
				close(inside)
				<-goOn
			}
		}}
		db := storetest.Open(t, o)
		done := make(chan error, 1)
		go func() { done <- db.Index(background) }()
		<-inside
		for i := range 20 {
			if err := db.Append(background, record(db, fmt.Sprint("r", i))); err != nil {
				t.Error(err)
			}
		}
		got, err := db.Decisions(background, store.DecisionFilter{Tenant: "t", Limit: 50})
		if err != nil || len(got) != 20 {
			t.Errorf("%d records, %v", len(got), err)
		}
		close(goOn)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestTheIndexIsPrivate(t *testing.T) {
	o := store.Options{Dir: t.TempDir()}
	db := storetest.Open(t, o)
	if err := db.Index(background); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(o.Dir, store.IndexFile+"*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
}
