package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// IndexFile is the name of SQLite's search index in the data folder. It is made
// from the log: it may be deleted while no server runs, and is in no backup.
const IndexFile = "search.db"

// indexVersion is the form of the index. One of another form is made anew.
const indexVersion = 1

const (
	indexLinger = time.Second // how long records wait for others, and a failure for the next try
	indexSoon   = 4096        // so many don't wait; lists read that many out of the log itself
	redoEvery   = time.Minute // how often chunks with emptied records are made anew

	indexReaders = 4 // connections
)

// index finds records by what is in them. It follows the log in transactions of
// its own, on SQLite in a file of its own, so it holds up no write. What it has
// not reached yet, lists read from the log.
type index struct {
	db      *DB
	path    string // SQLite's file; empty for PostgreSQL
	url     string // PostgreSQL's
	observe func(indexed, size int64, err error)

	// use is held to read by whoever uses the connections, to write by who
	// replaces them.
	use         sync.RWMutex
	read, write *sqlx.DB // nil until the index has been looked at
	pass        sync.Mutex

	waiting  atomic.Int64 // records since the last pass
	wake     chan struct{}
	soon     chan struct{}
	suspect  atomic.Bool // somebody could not read it
	stop     context.CancelFunc
	ended    sync.WaitGroup
	lastRedo time.Time
	closed   bool
	salt     []byte // of the index that was used last
}

func newIndex(db *DB, o *Options) *index {
	x := &index{db: db, url: o.URL, wake: make(chan struct{}, 1), soon: make(chan struct{}, 1)}
	if db.dialect.local {
		x.path = filepath.Join(o.Dir, IndexFile)
	}
	if o.Observe != nil {
		x.observe = o.Observe.Index
	}
	return x
}

// start begins to follow the log.
func (x *index) start() {
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	x.ended.Go(func() { x.follow(ctx) })
}

func (x *index) close() error {
	x.stop()
	x.ended.Wait()
	x.pass.Lock()
	defer x.pass.Unlock()
	x.closed = true
	x.use.Lock()
	defer x.use.Unlock()
	return x.disconnect()
}

// grown is told of each commit. It waits for nothing.
func (x *index) grown(records int) {
	if x.waiting.Add(int64(records)) >= indexSoon {
		poke(x.soon)
	}
	poke(x.wake)
}

// doubt is told of a failure to read the index.
func (x *index) doubt(err error) {
	if isBroken(err) {
		x.suspect.Store(true)
	}
	poke(x.soon)
	poke(x.wake)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (x *index) follow(ctx context.Context) {
	poke(x.soon) // at the start nothing waits
	for {
		select {
		case <-ctx.Done():
			return
		case <-x.soon:
		case <-time.After(indexLinger):
		}
		err := x.catchUp(ctx, false)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			x.tell(0, 0, err)
			poke(x.wake)
			select { // not at once again
			case <-ctx.Done():
				return
			case <-time.After(indexLinger):
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-x.wake:
		}
	}
}

func (x *index) tell(indexed, size int64, err error) {
	if x.observe != nil {
		x.observe(indexed, size, err)
	}
}

// Index brings the search index up to what is committed now, and takes out of it
// what has been emptied. Nobody has to call it: lists see everything anyway.
func (db *DB) Index(ctx context.Context) error { return db.index.catchUp(ctx, true) }

// catchUp takes steps until the index has what the log has now. Where it turns
// out to be broken, or that of another log, it begins anew.
func (x *index) catchUp(ctx context.Context, redo bool) error {
	x.pass.Lock()
	defer x.pass.Unlock()
	if low := x.db.writer.space.low(); low != nil {
		return unavailable(low) // the last bytes are for records
	}
	x.waiting.Store(0)
	for again := false; ; again = true {
		err := x.steps(ctx, redo)
		if err == nil || ctx.Err() != nil || again || !isBroken(err) {
			return err
		}
		x.tell(0, 0, fmt.Errorf("it is made anew: %w", err))
		if err := x.reset(ctx); err != nil {
			return err
		}
	}
}

func (x *index) steps(ctx context.Context, redo bool) error {
	size, err := x.db.LogSize(ctx)
	if err != nil {
		return logError{err}
	}
	if size == 0 && x.write == nil && !redo {
		return nil // nothing to find, nothing to make
	}
	if err := x.ready(ctx); err != nil {
		return err
	}
	for more := true; more; {
		var at int64
		if at, err = x.step(ctx, size); err != nil {
			return err
		}
		more = at < size
		x.tell(at, size, nil)
	}
	if now := x.db.now(); redo || now.Sub(x.lastRedo) > redoEvery {
		x.lastRedo = now
		return x.redo(ctx)
	}
	return nil
}

// ready connects, once, and makes what is not there.
func (x *index) ready(ctx context.Context) error {
	if x.closed {
		return unavailable(errors.New("closing"))
	}
	if x.suspect.Swap(false) {
		return errIndex
	}
	if x.write == nil {
		x.use.Lock()
		defer x.use.Unlock()
		return x.connect(ctx)
	}
	if x.path != "" {
		if _, err := os.Stat(x.path); err != nil {
			return fmt.Errorf("%w: %w", errIndex, err)
		}
	}
	return nil
}
