package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver
	"github.com/jmoiron/sqlx"
	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

// Options say where the rows are.
type Options struct {
	// URL is postgres://…; empty means SQLite in Dir.
	URL string
	// Dir is the data folder. It must exist.
	Dir string
	// Reserve is how many bytes of disk must stay free in Dir; below it writes
	// are refused rather than the disk filled. 0 switches the check off.
	Reserve int64
	// Readers bounds the pool of reading connections; 0 means a useful default.
	Readers int
	// Observe is told of what the writer does; nil: nobody is.
	Observe *Observer
	// Upgrading is told how many of how many records have moved, where the log
	// of an older version becomes a tree; nil: nobody is.
	Upgrading Progress
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// DB is an open database. It is safe for concurrent use. Close it last.
type DB struct {
	dialect *dialect
	read    *sqlx.DB // many connections, read only where the database can say so
	write   *sqlx.DB // exactly one connection, owned by the writer
	path    string   // SQLite's file; empty for PostgreSQL
	now     func() time.Time
	writer  *writer
	lost    atomic.Int64 // connections of the writer that were dropped
	index   *index
	tenants tenantCache
	readSQL statements
}

// Open connects, applies the migrations that are missing, and starts the
// writer. The caller closes the DB. [ErrUnavailable] says that the database
// can't be reached, or has no room: later it may be opened. [ErrInvalid] says
// that it is of a newer program, or that the URL is none.
func Open(ctx context.Context, o Options) (*DB, error) {
	db, err := open(ctx, o)
	return db, opening(err)
}

func open(ctx context.Context, o Options) (*DB, error) {
	db, err := connect(o)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		db.closeConnections()
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if err := db.upgradeLog(ctx, o.Upgrading); err != nil {
		db.closeConnections()
		return nil, fmt.Errorf("upgrade the log: %w", err)
	}
	if err := db.LoadTenants(ctx); err != nil {
		db.closeConnections()
		return nil, err
	}
	db.index = newIndex(db, &o)
	db.writer = newWriter(db, &o)
	db.index.start()
	return db, nil
}

func connect(o Options) (*DB, error) {
	db := &DB{now: o.Now}
	if db.now == nil {
		db.now = time.Now
	}
	readers := o.Readers
	if readers == 0 {
		readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	if o.URL == "" {
		db.dialect, db.path = &sqlite, filepath.Join(o.Dir, File)
		if err := createPrivate(db.path); err != nil {
			return nil, err
		}
		var err error
		if db.write, err = sqlx.Open("sqlite3", sqliteDSN(db.path, false)); err != nil {
			return nil, err
		}
		if db.read, err = sqlx.Open("sqlite3", sqliteDSN(db.path, true)); err != nil {
			return nil, err
		}
	} else {
		u, err := url.Parse(o.URL)
		if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
			return nil, fmt.Errorf("database: want postgres://… or nothing for SQLite: %w", ErrInvalid)
		}
		db.dialect = &postgres
		if db.write, err = sqlx.Open("pgx", o.URL); err != nil {
			return nil, err
		}
		if db.read, err = sqlx.Open("pgx", o.URL); err != nil {
			return nil, err
		}
	}
	db.write.SetMaxOpenConns(1)
	db.write.SetMaxIdleConns(1)
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	db.readSQL = statements{dialect: db.dialect, db: db.read}
	return db, nil
}

// createPrivate makes the database's file readable by its owner alone before
// SQLite would make it with whatever the umask says.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteDSN: WAL with synchronous=FULL syncs each commit, so what was answered
// survives power loss; _txlock=immediate, because a deferred transaction that
// turns into a writer gets SQLITE_BUSY_SNAPSHOT, which no timeout retries.
func sqliteDSN(path string, readOnly bool) string {
	q := url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"},
		"_busy_timeout": {"5000"}, "_foreign_keys": {"on"}, "_secure_delete": {"on"},
	}
	if readOnly {
		q.Del("_txlock")
		q.Set("_query_only", "1")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (db *DB) migrate(ctx context.Context) error {
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if db.dialect.locker != nil {
		l, err := db.dialect.locker()
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(l))
	}
	p, err := goose.NewProvider(db.dialect.goose, db.write.DB, db.dialect.migrations(), opts...)
	if err != nil {
		return err
	}
	has, knows, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case has > knows:
		return fmt.Errorf("%w: the database has schema %d, this program knows %d: use the newer program", ErrInvalid, has, knows)
	}
	_, err = p.Up(ctx)
	return err
}

// Version is the number of the newest migration that the database has.
func (db *DB) Version(ctx context.Context) (int64, error) {
	var v int64
	err := db.read.GetContext(ctx, &v, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version`)
	return v, err
}

// Now is the clock that rows are stamped with.
func (db *DB) Now() time.Time { return db.now() }

// Ping reports whether the database answers and the writer accepts work.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.read.PingContext(ctx); err != nil {
		return unavailable(err)
	}
	return db.writer.healthy()
}

// Close finishes the writes that are waiting and closes the connections.
func (db *DB) Close() error {
	err := db.index.close()
	db.writer.close()
	return errors.Join(err, db.closeConnections())
}

func (db *DB) closeConnections() error { return errors.Join(db.read.Close(), db.write.Close()) }

func sqliteExists(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && (e.ExtendedCode == sqlite3.ErrConstraintUnique || e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey)
}

func postgresExists(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}

// statements rebinds each query once for its database and keeps it prepared.
// pgx caches by itself, so there the prepared statement is only a name.
type statements struct {
	dialect *dialect
	db      *sqlx.DB
	bound   sync.Map // query → *sqlx.Stmt
}

func (s *statements) prepared(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if p, ok := s.bound.Load(query); ok {
		return p.(*sqlx.Stmt), nil
	}
	p, err := s.db.PreparexContext(ctx, sqlx.Rebind(s.dialect.bind, query))
	if err != nil {
		return nil, err
	}
	if was, loaded := s.bound.LoadOrStore(query, p); loaded {
		_ = p.Close()
		return was.(*sqlx.Stmt), nil
	}
	return p, nil
}

func (db *DB) kind(err error) error { return db.dialect.kind(err) }

func (d *dialect) kind(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case d.isExists(err):
		return fmt.Errorf("%w: %w", ErrExists, err)
	}
	return err
}
