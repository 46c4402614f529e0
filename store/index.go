package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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
	if x.db.writer.space.low() {
		return unavailable(errDiskReserve) // the last bytes are for records
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

// reset throws the index away and begins an empty one.
func (x *index) reset(ctx context.Context) error {
	x.use.Lock()
	defer x.use.Unlock()
	if x.path != "" {
		err := x.disconnect() // all connections: SQLite would delete the new file's log with the last of them
		if err := errors.Join(err, removeDatabase(x.path)); err != nil {
			return err
		}
	} else if x.write != nil {
		for _, table := range indexTables {
			if _, err := x.write.ExecContext(ctx, `DROP TABLE IF EXISTS `+table); err != nil {
				return err
			}
		}
		if err := x.disconnect(); err != nil {
			return err
		}
	}
	return x.connect(ctx)
}

func (x *index) disconnect() (err error) {
	if x.write != nil {
		err = x.write.Close()
	}
	if x.read != nil {
		err = errors.Join(err, x.read.Close())
	}
	x.read, x.write = nil, nil
	return err
}

// removeDatabase deletes a SQLite database: the file before its log, because
// SQLite throws away the log of a file that is not there, but would apply one
// that is older than the file.
func removeDatabase(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (x *index) connect(ctx context.Context) (err error) {
	if x.path == "" {
		// Connections of its own: who looks at the index reads the log meanwhile,
		// and must not wait for somebody who waits for the same.
		if x.read, err = sqlx.Open(x.db.dialect.driver, x.url); err == nil {
			x.write, err = sqlx.Open(x.db.dialect.driver, x.url)
		}
	} else {
		if err := createPrivate(x.path); err != nil {
			return err
		}
		if x.read, err = sqlx.Open(x.db.dialect.driver, indexDSN(x.path, true)); err == nil {
			x.write, err = sqlx.Open(x.db.dialect.driver, indexDSN(x.path, false))
		}
	}
	if err == nil {
		x.write.SetMaxOpenConns(1)
		x.read.SetMaxOpenConns(indexReaders)
		x.read.SetMaxIdleConns(indexReaders)
		err = x.create(ctx)
	}
	if err != nil {
		return errors.Join(err, x.disconnect())
	}
	return nil
}

// indexDSN: without a sync for each commit, because what a power cut takes from
// the end is made again. synchronous=NORMAL keeps the file whole.
func indexDSN(path string, readOnly bool) string {
	q := url.Values{"_synchronous": {"NORMAL"}, "_txlock": {"immediate"}, "_busy_timeout": {"5000"}, "_secure_delete": {"on"}}
	if readOnly {
		q.Set("_txlock", "deferred")
		q.Set("_query_only", "1")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

var indexTables = []string{"search_meta", "search_slots", "search_chunks", "search_times", "search_values"}

// indexSchema: slots have the sets of records by what is in them, chunks and
// times when and under which ids they were made, values what there is to count
// by. Texts are bytes: PostgreSQL refuses some that a record may have.
const indexSchema = `
CREATE TABLE IF NOT EXISTS search_meta (version BIGINT NOT NULL, salt BYTES NOT NULL, position BIGINT NOT NULL, entry BYTES NOT NULL);
CREATE TABLE IF NOT EXISTS search_slots (id ROWID PRIMARY KEY, data BYTES NOT NULL);
CREATE TABLE IF NOT EXISTS search_chunks (chunk ROWID PRIMARY KEY, from_at BIGINT NOT NULL, to_at BIGINT NOT NULL,
	lo_id BYTES NOT NULL, hi_id BYTES NOT NULL, times BYTES NOT NULL, ids BYTES NOT NULL);
CREATE TABLE IF NOT EXISTS search_times (span ROWID PRIMARY KEY, at BYTES NOT NULL);
CREATE TABLE IF NOT EXISTS search_values (tenant BYTES NOT NULL, field BIGINT NOT NULL, chunk BIGINT NOT NULL, value BYTES NOT NULL, n BIGINT NOT NULL,
	PRIMARY KEY (tenant, field, chunk, value))`

// create makes the tables that are missing, and refuses those of another version.
func (x *index) create(ctx context.Context) error {
	rowID, bytesType := "BIGINT", "BYTEA"
	if x.path != "" {
		rowID, bytesType = "INTEGER", "BLOB"
		if _, err := x.write.ExecContext(ctx, `PRAGMA page_size = 8192; PRAGMA journal_mode = WAL`); err != nil {
			return err
		}
	}
	tx, err := x.write.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if x.path == "" { // nodes that start together
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.search_meta'))`); err != nil {
			return err
		}
	}
	schema := strings.NewReplacer("ROWID", rowID, "BYTES", bytesType).Replace(indexSchema)
	for statement := range strings.SplitSeq(schema, ";") {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	salt := []byte(rand.Text())
	if _, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO search_meta (version, salt, position, entry)
		SELECT ?, ?, 0, ? WHERE NOT EXISTS (SELECT 1 FROM search_meta)`), indexVersion, salt, []byte{}); err != nil {
		return err
	}
	return tx.Commit()
}
