package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
	"github.com/pointgate/pointgate/store/trail"
)

// world is a log, a clock and the places of a publisher, which can be opened as
// often as a program can be started.
type world struct {
	*testing.T
	db     *store.DB
	mu     sync.Mutex
	clock  time.Time
	config Config
}

var ctx = context.Background()

// eachWorld runs a test on each database.
func eachWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	storetest.EachOptions(t, func(t *testing.T, o store.Options) { test(newWorld(t, o)) })
}

// oneWorld is eachWorld on SQLite alone, for what is not about rows.
func oneWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	test(newWorld(t, store.Options{Dir: t.TempDir()}))
}

func newWorld(t *testing.T, o store.Options) *world {
	t.Helper()
	w := &world{T: t, clock: time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)}
	o.Now = w.now
	w.db = storetest.Open(t, o)
	storetest.Tenant(t, w.db, "demo")
	events := &gate.Events{Store: w.db, Now: w.now, NewID: uuid.NewString}
	w.config = Config{
		Store: w.db, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: w.now, Record: events.Record,
		Tenant: "demo", Issuer: "https://points.example:8443", SealKey: bytes.Repeat([]byte{7}, 32), Holder: "one",
		File: filepath.Join(t.TempDir(), "data.checkpoint"), WitnessEvery: time.Second,
	}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// fill adds n records.
func (w *world) fill(n int) {
	w.Helper()
	storetest.Write(w, w.db, func(tx *store.Tx) error {
		for range n {
			id := uuid.NewString()
			tx.Record(&store.Record{
				ID: id, At: tx.Now(), Tenant: "demo", Status: 200, Code: "ok",
				Body: fmt.Appendf(nil, `{"decision_id":%q,"custom":{"tenant":"demo"}}`, id),
			})
		}
		return nil
	})
}

func (w *world) size() int64 {
	w.Helper()
	n, err := w.db.LogSize(ctx)
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// open starts a publisher that must start.
func (w *world) open() *Publisher {
	w.Helper()
	p, err := Open(ctx, w.config)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// flush lets a second pass: a new checkpoint, and all places have it.
func (w *world) flush(p *Publisher) *Published {
	w.Helper()
	w.pass(time.Second)
	p.step(ctx)
	if fault := p.fault.Load(); fault != nil {
		w.Fatalf("no checkpoint: %s", *fault)
	}
	for _, pl := range p.places {
		if err := pl.put(ctx, p.current.Load()); err != nil {
			w.Fatalf("%s: %v", pl.kind, err)
		}
	}
	return p.current.Load()
}

// inFile is the checkpoint that the file has, verified with all keys.
func (w *world) inFile() *trail.Signed {
	w.Helper()
	raw, err := readFile(w.config.File)
	if err != nil || raw == nil {
		w.Fatalf("the file: %q, %v", raw, err)
	}
	s, err := trail.Open(raw, w.vkeys()...)
	if err != nil {
		w.Fatalf("the file: %v\n%s", err, raw)
	}
	return s
}

func (w *world) vkeys() (vkeys []string) {
	w.Helper()
	keys, err := store.LogKeys(ctx, w.db)
	if err != nil {
		w.Fatal(err)
	}
	for _, k := range keys {
		vkeys = append(vkeys, k.Verifier)
	}
	return vkeys
}

// snapshot is a log as it was; putting it back is what a restored backup does.
type snapshot struct {
	size     int64
	frontier []byte
}

func (w *world) snapshot() (s snapshot) {
	w.Helper()
	err := errors.Join(
		w.db.Get(ctx, &s.size, `SELECT size FROM log_head`),
		w.db.Get(ctx, &s.frontier, `SELECT frontier FROM log_head`),
	)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// rollBack puts the log back, and what it has kept of checkpoints if all is true.
func (w *world) rollBack(s snapshot, all bool) {
	w.Helper()
	statements := []string{`DELETE FROM batches WHERE first >= ?`}
	if all {
		statements = append(statements, `DELETE FROM checkpoints WHERE size > ?`)
	}
	w.write(func(tx *store.Tx) error {
		for _, q := range statements {
			if _, err := tx.Exec(ctx, q, s.size); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE log_head SET size = ?, frontier = ?`, s.size, s.frontier)
		return err
	})
}

func (w *world) write(fn func(tx *store.Tx) error) {
	w.Helper()
	storetest.Write(w, w.db, fn)
}

// records are those of an action.
func (w *world) records(action string) (found []store.Record) {
	w.Helper()
	err := w.db.Records(ctx, 0, w.size(), func(r *store.Record) error {
		if r.Action == action {
			found = append(found, *r)
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return found
}
