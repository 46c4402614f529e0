package audit

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// failover puts the log back to s, as a replica that lagged has it, and lets
// whoever asks first have the lease.
func (w *world) failover(s snapshot) {
	w.Helper()
	w.rollBack(s, true)
	w.write(func(tx *store.Tx) error { _, err := tx.Exec(ctx, `DELETE FROM leases`); return err })
}

// pair is a node that has published more than the database has after a
// failover, and one that has not seen it.
func pair(w *world, change func(c *Config)) (a, b *Publisher, s snapshot) {
	w.Helper()
	a = w.open()
	w.fill(5)
	w.flush(a)
	c := w.config
	c.Holder = "two"
	change(&c)
	b, err := Open(ctx, c)
	if err != nil {
		w.Fatal(err)
	}
	s = w.snapshot()
	w.fill(5)
	w.flush(a)
	return a, b, s
}

// TestANodeNeverContradictsItself: another has gone on from less than this node
// has published, under the same origin and with the same key.
func TestANodeNeverContradictsItself(t *testing.T) {
	for name, after := range map[string]int{"more": 9, "as many": 5, "fewer": 3} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				t := w.T
				a, b, s := pair(w, func(c *Config) { c.File = "" })
				seen := a.current.Load()
				w.failover(s)
				w.fill(after)
				w.pass(time.Second)
				b.step(ctx) // has nothing to compare with
				for range 3 {
					w.pass(time.Second)
					a.step(ctx)
				}
				if now := a.current.Load(); now != seen || a.fault.Load() == nil {
					t.Errorf("it had published %d %s, and publishes %d %s", seen.Size, seen.Root, now.Size, now.Root)
				}
				if _, err := a.makeFor(ctx, anySize); !errors.Is(err, store.ErrFork) {
					t.Errorf("on demand: %v, want ErrFork", err)
				}
				if got := w.inFile(); got.Root != seen.Root {
					t.Errorf("the file has %+v", got.Checkpoint)
				}
				r := w.records("trail.fork")
				if len(r) != 1 || r[0].Allow || r[0].Code != "fork" || !bytes.Contains(r[0].Body, []byte(seen.Root.String())) {
					t.Errorf("%d records: %+v", len(r), r)
				}
				w.refused("--accept-rollback")
			})
		})
	}
}

// TestAForkIsRecordedEachTime that it begins, not each second.
func TestAForkIsRecordedEachTime(t *testing.T) {
	oneWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		w.fill(5)
		for want := 1; want <= 2; want++ {
			c := w.flush(p)
			w.keepForged(p, trail.Checkpoint{Origin: c.Origin, Head: trail.Head{Size: c.Size, Root: tlog.Hash{1}}}, "")
			for range 3 {
				w.pass(time.Second)
				p.step(ctx)
			}
			if n := len(w.records("trail.fork")); n != want || p.fault.Load() == nil {
				t.Errorf("%d records, want %d; %v", n, want, p.fault.Load())
			}
			w.write(func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, `DELETE FROM checkpoints WHERE at > ?`, store.At(w.now()))
				return err
			})
		}
	})
}

// keepForged puts a checkpoint into the database that the log's key has signed
// and that is not of its tree, later than all others; with a cosignature.
func (w *world) keepForged(p *Publisher, c trail.Checkpoint, cosignature string) {
	w.Helper()
	keys, err := p.readKeys(ctx)
	if err != nil {
		w.Fatal(err)
	}
	s, err := c.Sign(w.now(), keys.sign...)
	if err != nil {
		w.Fatal(err)
	}
	w.write(func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO checkpoints (at, origin, size, root, note, witnesses) VALUES (?, ?, ?, ?, ?, ?)`,
			store.At(w.now().Add(time.Hour)), c.Origin, c.Size, c.Root[:], string(s.Note)+cosignature, strings.Count(cosignature, "\n"))
		return err
	})
}

// TestANewSessionBeginsWithThePlaces: the node that goes on has not seen what
// was published, but the endpoint has it.
func TestANewSessionBeginsWithThePlaces(t *testing.T) {
	for name, begin := range map[string]func(w *world, b *Publisher){
		"as another leads": func(*world, *Publisher) {},
		"on a new connection": func(w *world, b *Publisher) {
			b.leads.Store(true)
			err := w.db.Write(ctx, func(tx *store.Tx) error { _, err := tx.Exec(ctx, `ROLLBACK`); return err })
			if !errors.Is(err, store.ErrUnavailable) {
				w.Fatalf("the connection is still there: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				t := w.T
				s := newShelf(t, http.MethodPut)
				w.config.Endpoints, w.config.File = []string{s.URL}, ""
				a, b, was := pair(w, func(*Config) {})
				seen, before := a.current.Load(), b.current.Load()
				w.failover(was)
				begin(w, b)
				w.fill(9)
				w.pass(time.Second)
				b.step(ctx)
				if now := b.current.Load(); now != before || b.fault.Load() == nil || !strings.Contains(*b.fault.Load(), "endpoint") {
					t.Errorf("it publishes %d %s, where %d %s is published", now.Size, now.Root, seen.Size, seen.Root)
				}
				if r := w.records("trail.fork"); len(r) != 1 || !bytes.Contains(r[0].Body, []byte(seen.Root.String())) || !bytes.Contains(r[0].Body, []byte("endpoint")) {
					t.Errorf("%d records: %+v", len(r), r)
				}
				if kept, err := store.LastCheckpoint(ctx, w.db, seen.Origin); err != nil || kept.Size > before.Size {
					t.Errorf("it has kept %+v, %v", kept, err)
				}
			})
		})
	}
}

// TestWhatOthersPutAtAPlaceDoesNotStopANewSession: our keys have not signed it,
// and the next checkpoint takes its place.
func TestWhatOthersPutAtAPlaceDoesNotStopANewSession(t *testing.T) {
	oneWorld(t, func(w *world) {
		p := w.open()
		w.flush(p)
		if err := os.WriteFile(w.config.File, foreignNote(w, "points.example:8443/audit"), 0o600); err != nil {
			w.Fatal(err)
		}
		p.leads.Store(false)
		w.fill(3)
		w.flush(p)
		if got := w.inFile(); got.Size != w.size() {
			w.Errorf("the file has %d of %d", got.Size, w.size())
		}
	})
}

// TestACosignedOneOfAnotherHistoryIsNotServed beside the newest of this one.
func TestACosignedOneOfAnotherHistoryIsNotServed(t *testing.T) {
	oneWorld(t, func(w *world) {
		t := w.T
		p, a := witnessed(w)
		c := w.flush(p)
		w.fill(1)
		w.pass(time.Second)
		p.step(ctx) // the newest is not cosigned yet
		other := trail.Checkpoint{Origin: c.Origin, Head: trail.Head{Size: c.Size, Root: tlog.Hash{1}}}
		w.keepForged(p, other, a.cosign(other.Text()))
		was := p.cosigned.Load()
		if err := p.follow(ctx); !errors.Is(err, store.ErrFork) || p.cosigned.Load() != was {
			t.Errorf("%v, it serves %s, want %s", err, p.cosigned.Load().Root, was.Root)
		}
	})
}
