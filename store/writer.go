package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
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
	mu    sync.RWMutex // held to write while closing
	shut  bool
}

func newWriter(db *DB, dir string, reserve int64) *writer {
	ctx, stop := context.WithCancel(context.Background())
	w := &writer{db: db, queue: make(chan *job, maxQueue), stop: stop, space: &diskSpace{dir: dir, reserve: reserve}}
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
	if w.space.low() {
		return unavailable(errDiskReserve)
	}
	select {
	case w.queue <- j:
		return nil
	default:
		return unavailable(errors.New("too many writes are waiting"))
	}
}

func (w *writer) healthy() error {
	if w.space.low() {
		return unavailable(errDiskReserve)
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
		_ = w.conn.Close()
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
	err := w.transact(live)
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
func (w *writer) transact(group []*job) (err error) {
	ctx, cancel := w.groupContext()
	defer cancel()
	if w.conn == nil {
		if w.conn, err = openWriteConn(ctx, w.db); err != nil {
			return err
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
		return err
	}
	for _, j := range group {
		if err = g.run(j); err != nil {
			return err
		}
	}
	if err = g.insertRecords(); err != nil {
		return err
	}
	if err = w.conn.exec(ctx, `COMMIT`); err == nil {
		return nil
	}
	if w.committed(g) {
		return nil
	}
	return fmt.Errorf("commit: %w", err)
}

// groupContext: SQLite is on this machine and interrupts by goroutine, so it
// gets none; a network database gets a deadline.
func (w *writer) groupContext() (context.Context, context.CancelFunc) {
	if w.db.dialect.name == sqlite.name {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), groupTimeout)
}

// committed asks, after a COMMIT whose reply was lost, whether it happened: the
// log's head tells, because a group that recorded something moved it under its
// lock. Groups without a record can't be told and count as failed, which their
// callers may repeat.
func (w *writer) committed(g *groupTx) bool {
	if len(g.records) == 0 || w.db.dialect.name == sqlite.name {
		return false // SQLite itself undoes what it could not sync
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	last := g.records[len(g.records)-1]
	var id string
	err := w.db.Get(ctx, &id, `SELECT id FROM decisions WHERE idx = ?`, last.Index)
	return err == nil && id == last.ID
}

// groupTx is one group's transaction.
type groupTx struct {
	conn    *writeConn
	db      *DB
	ctx     context.Context
	size    int64
	records []*Record
}

func (g *groupTx) begin() error {
	if err := g.conn.exec(g.ctx, g.db.dialect.begin); err != nil {
		return err
	}
	p, err := g.conn.prepared(g.ctx, g.db.dialect.lockHead)
	if err != nil {
		return err
	}
	return p.GetContext(g.ctx, &g.size)
}

// run does one job. A returned error ends the group; the job's own is in j.err.
func (g *groupTx) run(j *job) error {
	if j.fn == nil {
		g.records = append(g.records, j.record)
		return nil
	}
	tx := &Tx{conn: g.conn, db: g.db, ctx: g.ctx}
	j.err = g.conn.savepoint(g.ctx, "job", func() error { return guarded(j.fn, tx) })
	var broken brokenTx
	if errors.As(j.err, &broken) {
		j.err = nil
		return broken
	}
	if j.err == nil {
		g.records = append(g.records, tx.records...)
	}
	return nil
}

// guarded turns a panic of one effect into its error: the others of the group
// have done nothing to deserve it.
func guarded(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: an effect panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(tx)
}

// writeConn is the writer's connection with its prepared statements. It belongs
// to the writer's goroutine.
type writeConn struct {
	*sqlx.Conn
	dialect    *dialect
	statements map[string]*sqlx.Stmt
}

func openWriteConn(ctx context.Context, db *DB) (*writeConn, error) {
	c, err := db.write.Connx(ctx)
	if err != nil {
		return nil, err
	}
	return &writeConn{Conn: c, dialect: db.dialect, statements: map[string]*sqlx.Stmt{}}, nil
}

func (c *writeConn) prepared(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if p, ok := c.statements[query]; ok {
		return p, nil
	}
	p, err := c.PreparexContext(ctx, sqlx.Rebind(c.dialect.bind, query))
	if err == nil {
		c.statements[query] = p
	}
	return p, err
}

func (c *writeConn) exec(ctx context.Context, statement string) error {
	p, err := c.prepared(ctx, statement)
	if err != nil {
		return err
	}
	_, err = p.ExecContext(ctx)
	return err
}

// savepoint runs fn and undoes its statements if it returns an error.
func (c *writeConn) savepoint(ctx context.Context, name string, fn func() error) error {
	if err := c.exec(ctx, `SAVEPOINT `+name); err != nil {
		return brokenTx{err}
	}
	ferr := fn()
	if ferr == nil {
		if err := c.exec(ctx, `RELEASE SAVEPOINT `+name); err != nil {
			return brokenTx{err}
		}
		return nil
	}
	if err := c.exec(ctx, `ROLLBACK TO SAVEPOINT `+name); err != nil {
		return brokenTx{errors.Join(ferr, err)}
	}
	// A name that is used again inside its own savepoint would hide the outer one.
	if err := c.exec(ctx, `RELEASE SAVEPOINT `+name); err != nil {
		return brokenTx{errors.Join(ferr, err)}
	}
	return ferr
}

// drop closes the connection for good: it does not go back to the pool.
func (c *writeConn) drop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = c.ExecContext(ctx, `ROLLBACK`) // gives up the lock now, whatever else still holds the connection
	for _, p := range c.statements {
		_ = p.Close()
	}
	_ = c.Raw(func(any) error { return errBadConn })
	_ = c.Close()
}

// brokenTx says that the group's transaction itself can't go on.
type brokenTx struct{ error }

func (b brokenTx) Unwrap() error { return b.error }
