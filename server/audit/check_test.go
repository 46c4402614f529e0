package audit

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// refused starts what must not start, and returns the line that says why.
func (w *world) refused(parts ...string) {
	w.Helper()
	_, err := Open(ctx, w.config)
	if !errors.Is(err, ErrRefused) {
		w.Fatalf("it starts: %v", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			w.Errorf("it says %q, want one line with %q", err, part)
		}
	}
}

func TestAStartOnWhatWasPublishedIsNoNews(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		for range 3 {
			p := w.open()
			w.fill(3)
			w.flush(p)
			w.fill(1) // not published
		}
		if len(w.records("trail.rollback")) != 0 {
			t.Error("a rollback is on record")
		}
	})
}

func TestARollbackIsRefusedAndAcceptedOnRecord(t *testing.T) {
	for name, change := range map[string]func(w *world, s snapshot){
		"a backup that was put back":          func(w *world, s snapshot) { w.rollBack(s, true) },
		"records that were replaced":          func(w *world, s snapshot) { w.rollBack(s, true); w.fill(20) },
		"an end that was cut off":             func(w *world, s snapshot) { w.rollBack(s, false) },
		"an end that was cut off and regrown": func(w *world, s snapshot) { w.rollBack(s, false); w.fill(20) },
	} {
		worlds := oneWorld
		if strings.HasPrefix(name, "a backup") {
			worlds = eachWorld
		}
		t.Run(name, func(t *testing.T) {
			worlds(t, func(w *world) {
				t := w.T
				p := w.open()
				w.fill(5)
				w.flush(p)
				s := w.snapshot()
				w.fill(5)
				published := w.flush(p)
				change(w, s)
				flag := fmt.Sprintf("--accept-rollback %d", published.Size)
				w.refused(flag, fmt.Sprint(published.Size))
				w.config.AcceptRollback = published.Size - 1
				w.refused(flag)
				w.config.AcceptRollback = published.Size
				size := w.size()
				again := w.open()
				if got := again.current.Load(); got.Origin != "points.example:8443/audit/2" || got.Size != size+2 {
					t.Errorf("it goes on as %+v, of %d", got.Checkpoint, size)
				}
				r := w.records("trail.rollback")
				if len(r) != 1 || !bytes.Contains(r[0].Body, []byte(fmt.Sprintf(`"published_size":%d`, published.Size))) ||
					!bytes.Contains(r[0].Body, []byte(fmt.Sprintf(`"size":%d`, size))) || !bytes.Contains(r[0].Body, []byte(published.Root.String())) {
					t.Fatalf("the record: %s", r[0].Body)
				}
				w.config.AcceptRollback = 0
				w.open() // the file still has the old one: that is known
				w.flush(again)
				if got := w.inFile(); got.Origin != "points.example:8443/audit/2" {
					t.Errorf("the file has %+v", got.Checkpoint)
				}
				w.config.AcceptRollback = published.Size // left in a file
				p = w.open()
				w.fill(9)
				w.flush(p)
				if len(w.records("trail.rollback")) != 1 {
					t.Error("it is on record twice")
				}
			})
		})
	}
}

// TestWhatContradictsItselfIsNotAccepted: there is nothing to go on from.
func TestWhatContradictsItselfIsNotAccepted(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		w.fill(5)
		c := w.flush(p)
		w.write(flipEntry)
		w.refused(fmt.Sprintf("--accept-rollback %d", c.Size))
		w.config.AcceptRollback = c.Size
		w.refused("put the right one back")
		if len(w.records("trail.rollback")) != 0 {
			t.Error("it is on record all the same")
		}
	})
}

// flipEntry changes one bit of what the tree holds.
func flipEntry(tx *store.Tx) error {
	var b struct {
		First   int64  `db:"first"`
		Entries []byte `db:"entries"`
	}
	if err := tx.Get(ctx, &b, `SELECT first, entries FROM batches WHERE first >= 1 ORDER BY first LIMIT 1`); err != nil {
		return err
	}
	b.Entries[3] ^= 1
	_, err := tx.Exec(ctx, `UPDATE batches SET entries = ? WHERE first = ?`, b.Entries, b.First)
	return err
}

func TestEachRollbackHasItsOwnOrigin(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		w.fill(2)
		w.flush(p)
		s := w.snapshot()
		origin := p.current.Load().Origin
		for want := 2; want <= 3; want++ {
			w.fill(3)
			c := w.flush(p)
			w.rollBack(s, true)
			w.config.AcceptRollback = c.Size
			p = w.open()
			if got := p.current.Load().Origin; got != fmt.Sprintf("points.example:8443/audit/%d", want) {
				t.Errorf("rollback %d: %s", want-1, got)
			}
			w.flush(p)
		}
		// All of the database is put back to before the first: it can't know of /2 and
		// /3 but by what was published.
		w.fill(30)
		c := w.flush(p)
		w.rollBack(s, true)
		w.write(func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM log_keys WHERE verifier LIKE ?`, "%/audit/%")
			if err == nil {
				_, err = tx.Exec(ctx, `DELETE FROM marks WHERE name = ?`, acceptedMark)
			}
			return errors.Join(err, tx.SetMark(ctx, originMark, origin))
		})
		w.config.AcceptRollback = 0
		w.refused("not signed by a key", fmt.Sprint(c.Size))
		w.config.AcceptRollback = c.Size
		if got := w.open().current.Load().Origin; got != "points.example:8443/audit/4" {
			t.Errorf("after all: %s", got)
		}
	})
}

// TestADataFolderThatWasMadeAnew beside the checkpoint of the one before it.
func TestADataFolderThatWasMadeAnew(t *testing.T) {
	foreign := func(w *world) []byte {
		k, err := trail.NewKey("points.example:8443/audit")
		if err != nil {
			w.Fatal(err)
		}
		s, err := trail.Checkpoint{Origin: k.Name(), Head: trail.Head{Size: 1000}}.Sign(w.now(), k)
		if err != nil {
			w.Fatal(err)
		}
		return s.Note
	}
	oneWorld(t, func(w *world) {
		t := w.T
		if err := os.WriteFile(w.config.File, foreign(w), 0o600); err != nil {
			t.Fatal(err)
		}
		w.refused(w.config.File, "another data folder", "move that checkpoint away", "--accept-rollback 1000")
		w.config.Demo = true
		w.flush(w.open())
		if got := w.inFile(); got.Origin != "points.example:8443/audit" {
			t.Errorf("a demo has %+v", got.Checkpoint)
		}
		w.config.Demo = false
		if err := os.WriteFile(w.config.File, foreign(w), 0o600); err != nil {
			t.Fatal(err)
		}
		w.config.AcceptRollback = 1000
		if got := w.open().current.Load().Origin; got != "points.example:8443/audit/2" {
			t.Errorf("accepted: %s", got)
		}
		if r := w.records("trail.rollback"); len(r) != 1 || !bytes.Contains(r[0].Body, []byte(`"signed":false`)) {
			t.Errorf("the record: %+v", r)
		}
	})
}

func TestWhatTheFileMayBe(t *testing.T) {
	for name, tc := range map[string]struct {
		make   func(path string) error
		refuse string
	}{
		"nothing":           {func(string) error { return nil }, ""},
		"empty":             {func(p string) error { return os.WriteFile(p, nil, 0o600) }, ""},
		"some other file":   {func(p string) error { return os.WriteFile(p, []byte("my thesis\n"), 0o600) }, "is no checkpoint"},
		"a folder":          {func(p string) error { return os.Mkdir(p, 0o700) }, "can't be read"},
		"larger than known": {func(p string) error { return os.WriteFile(p, make([]byte, maxNote+1), 0o600) }, "can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			oneWorld(t, func(w *world) {
				t := w.T
				if err := tc.make(w.config.File); err != nil {
					t.Fatal(err)
				}
				if tc.refuse != "" {
					w.refused(w.config.File, tc.refuse)
					return
				}
				w.flush(w.open())
			})
		})
	}
}

func TestTheDatabasesOwnCheckpointIsChecked(t *testing.T) {
	for name, statement := range map[string]string{
		"its size":     `UPDATE checkpoints SET size = size + 1`,
		"its root":     `UPDATE checkpoints SET root = ` + "x",
		"its note":     `UPDATE checkpoints SET note = 'nothing'`,
		"its text":     `UPDATE checkpoints SET note = REPLACE(note, 'AAAA', 'AAAB')`,
		"its log head": `UPDATE log_head SET size = size - 1`,
	} {
		t.Run(name, func(t *testing.T) {
			oneWorld(t, func(w *world) {
				t := w.T
				w.config.File = ""
				w.fill(1)
				w.flush(w.open())
				w.write(func(tx *store.Tx) error {
					if name == "its root" {
						_, err := tx.Exec(ctx, `UPDATE checkpoints SET root = ?`, make([]byte, 32))
						return err
					}
					_, err := tx.Exec(ctx, statement)
					return err
				})
				if _, err := Open(ctx, w.config); err == nil {
					t.Error("it starts")
				}
			})
		})
	}
}

// shelf is an endpoint that keeps what it gets, and gives it back.
type shelf struct {
	*httptest.Server
	note    []byte
	status  int
	methods []string
}

func newShelf(t *testing.T, takes string) *shelf {
	s := &shelf{status: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.methods = append(s.methods, r.Method)
		switch {
		case s.status != http.StatusOK:
			rw.WriteHeader(s.status)
		case r.Method == http.MethodGet && s.note == nil:
			rw.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodGet:
			_, _ = rw.Write(s.note)
		case r.Method != takes:
			rw.WriteHeader(http.StatusMethodNotAllowed)
		default:
			s.note = make([]byte, r.ContentLength)
			_, _ = r.Body.Read(s.note)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAnEndpointTakesByPutOrPostAndIsCompared(t *testing.T) {
	for _, method := range []string{http.MethodPut, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			oneWorld(t, func(w *world) {
				t := w.T
				s := newShelf(t, method)
				w.config.File, w.config.Endpoints = "", []string{s.URL + "/box?token=secret"}
				p := w.open()
				w.flush(p)
				before := w.snapshot()
				w.fill(5)
				c := w.flush(p)
				if !bytes.Equal(s.note, c.Note) {
					t.Fatalf("it got %s", s.note)
				}
				if last := s.methods[len(s.methods)-1]; last != method || len(s.methods) > 6 {
					t.Errorf("it was asked by %v", s.methods)
				}
				w.rollBack(before, true)
				w.refused("endpoint "+s.URL+"/box:", fmt.Sprint(c.Size))
				if _, err := Open(ctx, w.config); strings.Contains(err.Error(), "secret") {
					t.Errorf("the line tells a secret: %v", err)
				}
				s.status = http.StatusInternalServerError
				w.config.Holder = "while it is down"
				w.open()
				s.status, s.note = http.StatusOK, []byte("<html>hello</html>")
				w.open()
				s.Close()
				w.open()
			})
		})
	}
}

func TestOriginsAreNumbered(t *testing.T) {
	for _, tc := range []struct {
		origin string
		used   []string
		want   string
	}{
		{"h/audit", nil, "h/audit/2"},
		{"h/audit/2", []string{"h/audit"}, "h/audit/3"},
		{"h/audit", []string{"h/audit/9", "other/audit/20", ""}, "h/audit/10"},
		{"h/audit", []string{"h/audit/9223372036854775807"}, "h/audit/2"},
		{"h:1/audit/1", nil, "h:1/audit/1/2"},
	} {
		if got := nextOrigin(tc.origin, tc.used...); got != tc.want {
			t.Errorf("after %s and %v: %s, want %s", tc.origin, tc.used, got, tc.want)
		}
	}
}
