package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxQueue     = 4096             // writes that may wait; one more is refused
	maxGroup     = 512              // writes in one transaction
	groupTimeout = 15 * time.Second // for a whole group, on a database that hangs
)

// Write runs fn inside the next group's transaction and returns once the group
// is durable. What fn did and what it recorded happen together or not at all;
// if fn returns an error or panics, its statements are undone, its records are
// dropped, the rest of the group goes on, and Write returns the error.
//
// fn runs on the one goroutine that writes, after those before it: it must be
// short and must not wait for anything but the database. A ctx that ends
// before fn has started withdraws the write; later it is not heeded, so the
// outcome is always known. [ErrUnavailable] means that nothing happened.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	return db.writer.do(ctx, &job{fn: fn})
}

// Append records a decision that has no effect, durable when it returns.
func (db *DB) Append(ctx context.Context, r *Record) error {
	if err := r.seal(); err != nil {
		return err
	}
	return db.writer.do(ctx, &job{record: r})
}

// job is one waiting write: an effect, or a record alone.
type job struct {
	fn     func(tx *Tx) error
	record *Record
	state  atomic.Int32
	err    error
	done   chan struct{}
}

const (
	waiting int32 = iota
	started
	withdrawn
)

type writer struct {
	db    *DB
	space *diskSpace
	queue chan *job
	conn  *writeConn
	fault atomic.Pointer[error] // why the last group failed; nil when it did not
	stop  context.CancelFunc
	ended sync.WaitGroup
	// observe is the observer's; nil if there is none.
	observe func(took time.Duration, writes, records int, err error)
	mu      sync.RWMutex // held to write while closing
	shut    bool
}

// Observer is told of what the writer does, on its goroutine: it must be quick.
// A nil func is not called.
type Observer struct {
	// Commit is told of each group: how long its transaction took, and how many
	// writes and records were in it. err is nil when it became durable.
	Commit func(took time.Duration, writes, records int, err error)
	// Index is told, on a goroutine of its own, how far the search index has come
	// in a log of which size; err is why it could not go on, or has to be made anew.
	Index func(indexed, size int64, err error)
}

// QueueDepth is how many writes are waiting for a group.
func (db *DB) QueueDepth() int { return len(db.writer.queue) }

// Session numbers the times between failures of the connection that writes.
// Behind a new one may be another database, such as a replica that lagged and
// was promoted. It changes on the goroutine that writes: inside of a write it is
// that of this write.
func (db *DB) Session() int64 { return db.lost.Load() }

func newWriter(db *DB, o *Options) *writer {
	ctx, stop := context.WithCancel(context.Background())
	w := &writer{db: db, queue: make(chan *job, maxQueue), stop: stop, space: &diskSpace{dir: o.Dir, reserve: o.Reserve}}
	if o.Observe != nil {
		w.observe = o.Observe.Commit
	}
	w.space.look()
	w.ended.Go(func() { w.space.watch(ctx) })
	w.ended.Go(w.run)
	return w
}

func (w *writer) do(ctx context.Context, j *job) error {
	j.done = make(chan struct{})
	if err := w.enqueue(j); err != nil {
		return err
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.state.CompareAndSwap(waiting, withdrawn) {
			return unavailable(ctx.Err())
		}
		<-j.done // it has started: its outcome will be known
	}
	return j.err
}

func (w *writer) enqueue(j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.shut {
		return unavailable(errors.New("closing"))
	}
	if low := w.space.low(); low != nil {
		return unavailable(low)
	}
	select {
	case w.queue <- j:
		return nil
	default:
		return unavailable(errors.New("too many writes are waiting"))
	}
}

func (w *writer) healthy() error {
	if low := w.space.low(); low != nil {
		return unavailable(low)
	}
	if f := w.fault.Load(); f != nil {
		return unavailable(*f)
	}
	return nil
}

// close lets the waiting writes finish.
func (w *writer) close() {
	w.mu.Lock()
	if !w.shut {
		w.shut = true
		close(w.queue)
	}
	w.mu.Unlock()
	w.stop()
	w.ended.Wait()
}

func (w *writer) run() {
	group := make([]*job, 0, maxGroup)
	for j := range w.queue {
		group = append(group[:0], j)
	more:
		for len(group) < maxGroup {
			select {
			case j, ok := <-w.queue:
				if !ok {
					break more
				}
				group = append(group, j)
			default:
				break more // no linger: who waits during this commit is the next group
			}
		}
		w.commit(group)
	}
	if w.conn != nil {
		w.conn.close()
	}
}

// commit runs one group and releases its waiters.
func (w *writer) commit(group []*job) {
	live := group[:0]
	for _, j := range group {
		if j.state.CompareAndSwap(waiting, started) {
			live = append(live, j)
		} else {
			close(j.done)
		}
	}
	if len(live) == 0 {
		return
	}
	began := time.Now()
	records, err := w.transact(live)
	if w.observe != nil {
		w.observe(time.Since(began), len(live), records, err)
	}
	if records > 0 {
		w.db.index.grown(records)
	}
	if err != nil {
		w.fault.Store(&err)
	} else if w.fault.Load() != nil {
		w.fault.Store(nil)
	}
	for _, j := range live {
		if err != nil && j.err == nil {
			j.err = unavailable(err)
		}
		close(j.done)
	}
}

// transact runs the group in one transaction. After any failure the connection
// is dropped: what a database thinks after a failed fsync can't be relied on,
// so the next group begins by asking it anew.
func (w *writer) transact(group []*job) (records int, err error) {
	ctx, cancel := w.groupContext()
	defer cancel()
	if w.conn == nil {
		if w.conn, err = openWriteConn(ctx, w.db); err != nil {
			return 0, err
		}
	}
	g := &groupTx{conn: w.conn, db: w.db, ctx: ctx}
	defer func() {
		if err != nil {
			w.conn.drop()
			w.conn = nil
		}
	}()
	if err = g.begin(); err != nil {
		return 0, err
	}
	for _, j := range group {
		if err = g.run(j); err != nil {
			return 0, err
		}
	}
	if err = g.insertRecords(); err != nil {
		return 0, err
	}
	if err = w.conn.exec(ctx, `COMMIT`); err == nil {
		return len(g.records), nil
	}
	if w.committed(g) {
		w.conn.drop()
		w.conn = nil
		return len(g.records), nil
	}
	return 0, fmt.Errorf("commit: %w", err)
}

// groupContext: SQLite is on this machine and interrupts by goroutine, so it
// gets none; a network database gets a deadline.
func (w *writer) groupContext() (context.Context, context.CancelFunc) {
	if w.db.dialect.local {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), groupTimeout)
}

// committed asks, after a COMMIT whose reply was lost, whether it happened: the
// log's head tells, because a group that recorded something moved it under its
// lock. Groups without a record can't be told and count as failed, which their
// callers may repeat.
func (w *writer) committed(g *groupTx) bool {
	if len(g.records) == 0 || w.db.dialect.local {
		return false // SQLite itself undoes what it could not sync
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	g.ctx = ctx
	return g.isIn(w.db.read)
}
