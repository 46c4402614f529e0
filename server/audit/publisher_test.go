package audit

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

func TestEachSecondHasItsCheckpoint(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		if c := p.current.Load(); c.Origin != "points.example:8443/audit" || c.Size != 1 { // the record of its key
			t.Fatalf("the first: %+v", c.Checkpoint)
		}
		w.fill(3)
		before := w.flush(p)
		if got := w.inFile(); got.Size != 4 || !got.At.Equal(w.now()) || got.Root != before.Root {
			t.Errorf("in the file: %+v", got)
		}
		after := w.flush(p)
		if !after.At.After(before.At) || after.Text() != before.Text() {
			t.Errorf("an idle second: %v %s, want the same text with a new time", after.At, after.Text())
		}
		var kept int
		count := func() int {
			t.Helper()
			if err := w.db.Get(ctx, &kept, `SELECT COUNT(*) FROM checkpoints`); err != nil {
				t.Fatal(err)
			}
			return kept
		}
		if count() != 2 {
			t.Errorf("%d are kept, want the one that has grown and the one before", kept)
		}
		w.pass(time.Minute)
		if w.flush(p); count() != 3 {
			t.Errorf("%d are kept after an idle minute", kept)
		}
	})
}

// TestNothingIsSignedThatDoesNotGoOn: a database that is put back under us, as
// by a failover to a replica that lagged, or changed.
func TestNothingIsSignedThatDoesNotGoOn(t *testing.T) {
	for name, change := range map[string]func(w *world, s snapshot){
		"fewer records":               func(w *world, s snapshot) { w.rollBack(s, true) },
		"others, as many":             func(w *world, s snapshot) { w.rollBack(s, true); w.fill(5) },
		"others, more":                func(w *world, s snapshot) { w.rollBack(s, true); w.fill(50) },
		"fewer than those it kept":    func(w *world, s snapshot) { w.rollBack(s, false) },
		"others, but what it kept is": func(w *world, s snapshot) { w.rollBack(s, false); w.fill(50) },
	} {
		worlds := oneWorld
		if name == "others, more" {
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
				was := w.flush(p)
				change(w, s)
				w.pass(2 * time.Minute)
				p.step(ctx)
				if p.fault.Load() == nil || p.current.Load() != was {
					t.Errorf("it went on: %v, %+v", p.fault.Load(), p.current.Load().Checkpoint)
				}
				if _, err := p.covering(ctx, was.Size); !errors.Is(err, store.ErrFork) {
					t.Errorf("on demand: %v, want ErrFork", err)
				}
			})
		})
	}
}

func TestWithoutADatabaseThereIsNoNewCheckpoint(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		was := w.flush(p)
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		p.step(ctx)
		if p.current.Load() != was || p.fault.Load() == nil {
			t.Errorf("%+v", p.current.Load().Checkpoint)
		}
	})
}

// TestKeptAndNotPublished: the program was killed in between.
func TestKeptAndNotPublished(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		w.flush(p)
		w.fill(4)
		kept, err := p.makeFor(ctx, anySize) // nobody delivers it any more
		if err != nil {
			t.Fatal(err)
		}
		if got := w.inFile(); got.Size >= kept.Size {
			t.Fatalf("the file has %d already", got.Size)
		}
		again := w.open()
		if c := again.current.Load(); c.Size < kept.Size {
			t.Errorf("it begins with %d, and had kept %d", c.Size, kept.Size)
		}
		if c := w.flush(again); w.inFile().Size != c.Size {
			t.Errorf("the file has %d of %d", w.inFile().Size, c.Size)
		}
	})
}

// TestNodesNeverDisagree: four nodes and those who write, all at once. What a
// node serves never goes down, and no size has two roots anywhere.
func TestNodesNeverDisagree(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		var nodes []*Publisher
		for _, name := range []string{"one", "two", "three", "four"} {
			w.config.Holder, w.config.File = name, ""
			nodes = append(nodes, w.open())
		}
		var mu sync.Mutex
		roots := map[int64]tlog.Hash{}
		see := func(c *Published) {
			mu.Lock()
			defer mu.Unlock()
			if was, there := roots[c.Size]; there && was != c.Root {
				t.Errorf("two trees of %d records", c.Size)
			}
			roots[c.Size] = c.Root
		}
		var wg sync.WaitGroup
		for _, p := range nodes {
			wg.Go(func() {
				var last int64
				for i := range 30 {
					w.pass(time.Second)
					if i%3 == 0 {
						if _, err := p.makeFor(ctx, anySize); err != nil {
							t.Error(err)
						}
					} else {
						p.step(ctx)
					}
					c := p.current.Load()
					if see(c); c.Size < last {
						t.Errorf("%d after %d", c.Size, last)
					}
					last = c.Size
				}
				if fault := p.fault.Load(); fault != nil {
					t.Error(*fault)
				}
			})
		}
		wg.Go(func() {
			for range 60 {
				w.fill(2)
			}
		})
		wg.Wait()
		var rows []store.Checkpoint
		if err := w.db.Select(ctx, &rows, `SELECT at, origin, size, root, note, witnesses FROM checkpoints`); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			c, err := fromRow(&row, w.vkeys())
			if err != nil {
				t.Fatal(err)
			}
			see(c)
		}
	})
}

// TestFollowersServeWhatTheLeaderKept.
func TestFollowersServeWhatTheLeaderKept(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		leader := w.open()
		w.config.Holder = "two"
		follower := w.open()
		w.flush(leader)
		w.fill(7)
		c := w.flush(leader)
		follower.step(ctx)
		if got := follower.current.Load(); follower.leads.Load() || got.Size != c.Size || !bytes.Equal(got.Note, c.Note) {
			t.Errorf("leads %t, %d of %d", follower.leads.Load(), got.Size, c.Size)
		}
	})
}

func TestKeysRotate(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		old := w.flush(p)
		first := w.vkeys()[0]
		w.pass(time.Minute)
		w.write(func(tx *store.Tx) error { _, err := p.Rotate(ctx, tx, 30*24*time.Hour); return err })
		second := w.vkeys()[0]
		w.fill(1)
		both := w.flush(p)
		for _, vkey := range []string{first, second} {
			if _, err := trail.Open(both.Note, vkey); err != nil {
				t.Errorf("in the overlap, by %s: %v", vkey, err)
			}
		}
		if n := strings.Count(string(both.Note), "\n— "); n != 4 {
			t.Errorf("%d signatures in the overlap, want two of each key", n)
		}
		w.pass(30 * 24 * time.Hour)
		w.fill(1)
		after := w.flush(p)
		if _, err := trail.Open(after.Note, second); err != nil {
			t.Errorf("after it, by the new key: %v", err)
		}
		if _, err := trail.Open(after.Note, first); !errors.Is(err, trail.ErrUnknownKey) {
			t.Errorf("after it, by the old key: %v", err)
		}
		if _, err := trail.Open(old.Note, w.vkeys()...); err != nil {
			t.Errorf("what the old key signed: %v", err)
		}
		rows, err := store.LogKeys(ctx, w.db)
		if err != nil || len(rows) != 2 || len(rows[1].Sealed) != 0 {
			t.Errorf("the old key is still there: %+v, %v", rows, err)
		}
		created, destroyed := w.records("log_key.create"), w.records("log_key.destroy")
		if len(created) != 2 || !bytes.Contains(created[1].Body, []byte(first)) || !bytes.Contains(created[1].Body, []byte(second)) {
			t.Errorf("the records of the keys: %s", created[len(created)-1].Body)
		}
		if len(destroyed) != 1 || !bytes.Contains(destroyed[0].Body, []byte(first)) {
			t.Errorf("the record of its end: %+v", destroyed)
		}
		w.config.Holder = "after a restart"
		w.open()
	})
}

func TestTheSecretPartIsSealed(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		w.open()
		rows, err := store.LogKeys(ctx, w.db)
		if err != nil {
			t.Fatal(err)
		}
		right := w.config.SealKey
		w.config.SealKey = bytes.Repeat([]byte{8}, 32)
		w.refused("can't be opened with this master secret", "put the right secret-file back", "--accept-rollback 1")
		w.config.SealKey = right
		k, err := trail.NewKey("points.example:8443/audit")
		if err != nil {
			t.Fatal(err)
		}
		w.write(func(tx *store.Tx) error { // the sealed key of one under the name of another
			return tx.InsertLogKey(ctx, &store.LogKey{Verifier: k.Verifier(), Sealed: rows[0].Sealed, CreatedAt: tx.Now()})
		})
		if _, err := Open(ctx, w.config); !errors.Is(err, ErrRefused) {
			t.Errorf("a key under another's name: %v", err)
		}
	})
}

// TestAMasterSecretThatIsLost: the log goes on under another origin, on record.
func TestAMasterSecretThatIsLost(t *testing.T) {
	eachWorld(t, func(w *world) {
		t := w.T
		p := w.open()
		w.fill(5)
		c := w.flush(p)
		w.config.SealKey = bytes.Repeat([]byte{8}, 32)
		w.refused("--accept-rollback 6")
		w.config.AcceptRollback = c.Size
		again := w.open()
		if got := again.current.Load(); got.Origin != "points.example:8443/audit/2" || got.Size != c.Size+2 {
			t.Errorf("it goes on as %+v", got.Checkpoint)
		}
		if r := w.records("trail.rollback"); len(r) != 1 || !bytes.Contains(r[0].Body, []byte("can't be opened")) {
			t.Errorf("the record: %+v", r)
		}
		w.config.AcceptRollback = 0
		w.flush(w.open())
		if got := w.inFile(); got.Origin != "points.example:8443/audit/2" {
			t.Errorf("the file: %+v", got.Checkpoint)
		}
	})
}
