package audit

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// foreignNote is a checkpoint of 1000 records with a key that nobody knows.
func foreignNote(w *world, origin string) []byte {
	w.Helper()
	k, err := trail.NewKey(origin)
	if err != nil {
		w.Fatal(err)
	}
	s, err := trail.Checkpoint{Origin: k.Name(), Head: trail.Head{Size: 1000}}.Sign(w.now(), k)
	if err != nil {
		w.Fatal(err)
	}
	return s.Note
}

// rolledBack is a log that was put back by five records that are published.
func rolledBack(w *world) (published *Published) {
	w.Helper()
	p := w.open()
	w.fill(5)
	w.flush(p)
	s := w.snapshot()
	w.fill(5)
	published = w.flush(p)
	w.rollBack(s, true)
	return published
}

// TestAMarkAloneAcceptsNothing: only what is on record in the log counts, and
// never for the log as it is called now.
func TestAMarkAloneAcceptsNothing(t *testing.T) {
	for name, mark := range map[string]func(w *world, published *Published) string{
		"by name":   func(_ *world, c *Published) string { return fmt.Sprintf("%s %d\n", c.Origin, int64(1)<<60) },
		"the end":   func(w *world, _ *Published) string { return fmt.Sprintf("%d\n", w.size()) },
		"all of it": func(*world, *Published) string { return "0\n" },
		"nonsense":  func(*world, *Published) string { return "-1\n99999999999999999999\n\nx\n" },
	} {
		t.Run(name, func(t *testing.T) {
			oneWorld(t, func(w *world) {
				c := rolledBack(w)
				text := mark(w, c)
				w.write(func(tx *store.Tx) error { return tx.SetMark(ctx, acceptedMark, text) })
				w.refused(fmt.Sprintf("--accept-rollback %d", c.Size))
			})
		})
	}
}

// TestARollbackIsGivenUpByItsRecordAlone: the file has the old checkpoint again,
// and the record is as it was, or is not.
func TestARollbackIsGivenUpByItsRecordAlone(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(w *world, at int64)
		want   string
	}{
		"as it is":              {func(*world, int64) {}, ""},
		"whose body is gone":    {empty, "--accept-rollback 11"},
		"whose body is another": {forge, "--accept-rollback 11"},
		"of the origin of now": {func(w *world, _ int64) {
			w.write(func(tx *store.Tx) error { return tx.SetMark(ctx, originMark, "points.example:8443/audit") })
		}, "--accept-rollback 11"},
	} {
		t.Run(name, func(t *testing.T) {
			oneWorld(t, func(w *world) {
				t := w.T
				c := rolledBack(w)
				w.config.AcceptRollback = c.Size
				at := w.size()
				old, err := os.ReadFile(w.config.File)
				if err != nil {
					t.Fatal(err)
				}
				w.flush(w.open())
				if err := os.WriteFile(w.config.File, old, 0o600); err != nil {
					t.Fatal(err)
				}
				tc.change(w, at)
				w.config.AcceptRollback = 0
				if tc.want != "" {
					w.refused(tc.want)
					return
				}
				w.open()
			})
		})
	}
}

// empty takes the body of a record, as its age or an erasure does.
func empty(w *world, at int64) {
	w.Helper()
	e := store.Emptying{From: at, To: at + 1, Gone: func(*store.Record) bool { return true }}
	if _, _, err := w.db.Empty(ctx, e, func(*store.Tx, int64, int64) error { return nil }); err != nil {
		w.Fatal(err)
	}
}

// forge changes a record's body, and not its entry.
func forge(w *world, at int64) {
	w.Helper()
	var b struct {
		First  int64  `db:"first"`
		Bodies []byte `db:"bodies"`
	}
	if err := w.db.Get(ctx, &b, `SELECT first, bodies FROM batches WHERE first <= ? ORDER BY first DESC LIMIT 1`, at); err != nil {
		w.Fatal(err)
	}
	changed := bytes.Replace(b.Bodies, []byte(`"signed":true`), []byte(`"signed":null`), 1)
	if bytes.Equal(changed, b.Bodies) {
		w.Fatal("there is no such record")
	}
	w.write(func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE batches SET bodies = ? WHERE first = ?`, changed, b.First)
		return err
	})
}

// TestAClockThatWasSetBack before a rollback is accepted, as with the snapshot
// of a machine: what comes last counts, not what says that it is newest.
func TestAClockThatWasSetBack(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		c := rolledBack(w)
		w.pass(-time.Hour)
		w.config.AcceptRollback = c.Size
		p := w.open()
		if got := p.current.Load().Origin; got != "points.example:8443/audit/2" {
			t.Errorf("it goes on as %s", got)
		}
		w.config.AcceptRollback = 0
		w.open()
		w.write(func(tx *store.Tx) error { _, err := p.Rotate(ctx, tx, time.Minute); return err })
		w.pass(2 * time.Hour)
		w.fill(1)
		p = w.open()
		if got := p.current.Load(); got.Origin != "points.example:8443/audit/2" || got.Size != w.size() {
			t.Errorf("later: %+v", got.Checkpoint)
		}
		for _, vkey := range w.vkeys()[:2] {
			if !strings.HasPrefix(vkey, "points.example:8443/audit/2+") {
				t.Errorf("among the newest keys is %s", vkey)
			}
		}
		if _, err := trail.Open(p.current.Load().Note, w.vkeys()[0]); err != nil {
			t.Errorf("the newest key does not sign: %v", err)
		}
	})
}

// TestAnOriginThatHasNoKey is that of a database that was tampered with.
func TestAnOriginThatHasNoKey(t *testing.T) {
	oneWorld(t, func(w *world) {
		w.open()
		for _, change := range []string{`UPDATE marks SET value = 'other.example/audit' WHERE name = ?`, `DELETE FROM marks WHERE name = ?`} {
			w.write(func(tx *store.Tx) error { _, err := tx.Exec(ctx, change, originMark); return err })
			w.refused(originMark)
		}
	})
}

// TestAnOriginWithASpace could not be told from the size behind it.
func TestAnOriginWithASpace(t *testing.T) {
	oneWorld(t, func(w *world) {
		t := w.T
		w.fill(2)
		w.flush(w.open())
		root := base64.StdEncoding.EncodeToString(make([]byte, 32))
		sig := base64.StdEncoding.EncodeToString(make([]byte, 68))
		note := "points.example:8443/audit evil\n77\n" + root + "\n\n— x.example " + sig + "\n"
		if err := os.WriteFile(w.config.File, []byte(note), 0o600); err != nil {
			t.Fatal(err)
		}
		w.config.AcceptRollback = 77
		w.refused("is no checkpoint")
		if err := os.Remove(w.config.File); err != nil {
			t.Fatal(err)
		}
		w.config.AcceptRollback = 0
		if got := w.open().current.Load().Origin; got != "points.example:8443/audit" {
			t.Errorf("it goes on as %s", got)
		}
	})
}

// TestAnEndpointCannotStopAStart with a note that none of our keys has signed:
// else whoever answers for it could.
func TestAnEndpointCannotStopAStart(t *testing.T) {
	oneWorld(t, func(w *world) {
		t := w.T
		s := newShelf(t, http.MethodPut)
		w.config.Endpoints = []string{s.URL}
		s.note = foreignNote(w, "points.example:8443/audit")
		w.flush(w.open())
		s.note = foreignNote(w, "evil.example/audit")
		w.flush(w.open())
		if r := w.records("trail.rollback"); len(r) != 0 {
			t.Errorf("%d rollbacks are on record", len(r))
		}
		if err := os.WriteFile(w.config.File, foreignNote(w, "points.example:8443/audit"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.refused("file ", "--accept-rollback 1000")
	})
}
