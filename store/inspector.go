package store

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"github.com/pointgate/pointgate/store/trail"
)

// Inspector looks at a database and changes nothing: it applies no migration
// and starts no writer, so it may look while a server runs. Close it last.
type Inspector struct{ db *DB }

// Inspect opens a database that is there; it makes none.
func Inspect(o Options) (*Inspector, error) {
	if o.URL == "" {
		if _, err := os.Stat(filepath.Join(o.Dir, File)); err != nil {
			return nil, err
		}
	}
	db, err := connect(o)
	if err != nil {
		return nil, err
	}
	return &Inspector{db: db}, nil
}

// Close closes the connections.
func (i *Inspector) Close() error { return i.db.closeConnections() }

// Schema is the newest migration that the database has, and the newest that
// this program knows. ErrInvalid says that it is no database of Pointgate,
// ErrUnavailable that it can't be asked now.
func (i *Inspector) Schema(ctx context.Context) (have, known int64, err error) {
	if known, err = i.db.dialect.newest(); err != nil {
		return 0, 0, err
	}
	switch have, err = i.db.Version(ctx); {
	case Away(err):
		return 0, known, unavailable(err)
	case err != nil:
		return 0, known, fmt.Errorf("%w: no table of migrations: %w", ErrInvalid, err)
	}
	return have, known, nil
}

// Founded reports whether the database has a tenant: before that, nothing was
// made with the master secret. ErrUnavailable says that it can't be asked now.
func (i *Inspector) Founded(ctx context.Context) (bool, error) {
	var n int64
	if err := i.db.Get(ctx, &n, i.db.dialect.tables+` = 'tenants'`); err != nil || n == 0 {
		return false, opening(err)
	}
	err := i.db.Get(ctx, &n, `SELECT COUNT(*) FROM tenants`)
	return n > 0, opening(err)
}

// newest is the number of the last migration in the program.
func (d *dialect) newest() (newest int64, err error) {
	names, err := fs.Glob(d.migrations(), "*.sql")
	for _, name := range names {
		n, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		newest = max(newest, n)
	}
	return newest, err
}

// Integrity asks SQLite to read the whole file and check its structure, its
// indexes and its foreign keys. PostgreSQL has no such question.
func (i *Inspector) Integrity(ctx context.Context) error {
	if i.db.dialect.name != sqlite.name {
		return nil
	}
	var complaints []string
	if err := i.db.Select(ctx, &complaints, `SELECT * FROM pragma_integrity_check LIMIT 5`); err != nil {
		return err
	}
	if len(complaints) != 1 || complaints[0] != "ok" {
		return fmt.Errorf("%w: integrity check: %q", ErrInvalid, complaints)
	}
	var orphans int64
	if err := i.db.Get(ctx, &orphans, `SELECT COUNT(*) FROM pragma_foreign_key_check`); err != nil {
		return err
	}
	if orphans > 0 {
		return fmt.Errorf("%w: %d rows refer to rows that are not there", ErrInvalid, orphans)
	}
	return nil
}

// Log checks that the log has every index from 0 to its head, once. [Inspector.Verify]
// also checks what the records say.
func (i *Inspector) Log(ctx context.Context) (size int64, err error) {
	var row struct {
		Size    int64 `db:"size"`
		Records int64 `db:"records"`
		End     int64 `db:"ending"`
		Gaps    int64 `db:"gaps"`
	}
	err = i.db.Get(ctx, &row, `SELECT (SELECT size FROM log_head) AS size, COALESCE(SUM(count), 0) AS records,
		COALESCE(MAX(first + count), 0) AS ending, COALESCE(SUM(CASE WHEN first <> expected THEN 1 ELSE 0 END), 0) AS gaps
		FROM (SELECT first, count, LAG(first + count, 1, 0) OVER (ORDER BY first) AS expected FROM batches) b`)
	if err != nil {
		return 0, err
	}
	if row.Records != row.Size || row.End != row.Size || row.Gaps > 0 {
		return row.Size, fmt.Errorf("%w: the head says %d records; there are %d up to %d, with %d gaps", ErrInvalid, row.Size, row.Records, row.End, row.Gaps)
	}
	return row.Size, nil
}

// LastRecord is the time of the newest record; the zero Time if there is none.
func (i *Inspector) LastRecord(ctx context.Context) (at Time, err error) {
	var last []batch
	if err := i.db.Select(ctx, &last, `SELECT first, count, entries, keys, bodies FROM batches ORDER BY first DESC LIMIT 1`); err != nil || len(last) == 0 {
		return Time{}, err
	}
	records, err := last[0].records()
	if err != nil || len(records) == 0 {
		return Time{}, err
	}
	return records[len(records)-1].At, nil
}

// Get implements [Reader].
func (i *Inspector) Get(ctx context.Context, dest any, query string, args ...any) error {
	return i.db.Get(ctx, dest, query, args...)
}

// Select implements [Reader].
func (i *Inspector) Select(ctx context.Context, dest any, query string, args ...any) error {
	return i.db.Select(ctx, dest, query, args...)
}

// Mark is [DB.Mark].
func (i *Inspector) Mark(ctx context.Context, name string) (string, error) {
	return i.db.Mark(ctx, name)
}

// Head is [DB.Head].
func (i *Inspector) Head(ctx context.Context) (trail.Head, error) { return i.db.Head(ctx) }

// Records is [DB.Records].
func (i *Inspector) Records(ctx context.Context, from, to int64, fn func(*Record) error) error {
	return i.db.Records(ctx, from, to, fn)
}

// Tree is [DB.Tree].
func (i *Inspector) Tree(ctx context.Context) trail.Reader { return i.db.Tree(ctx) }

// Verifiers are the vkeys of all keys that have signed checkpoints of the log.
func (i *Inspector) Verifiers(ctx context.Context) (vkeys []string, err error) {
	err = i.db.Select(ctx, &vkeys, `SELECT verifier FROM log_keys ORDER BY created_at`)
	return vkeys, err
}

// Ledger checks that each account's balance is the sum of its ledger lines, and
// what it holds the sum of its open holds.
func (i *Inspector) Ledger(ctx context.Context) (accounts int64, err error) {
	if err := i.db.Get(ctx, &accounts, `SELECT COUNT(*) FROM accounts`); err != nil {
		return 0, err
	}
	var wrong []string
	err = i.db.Select(ctx, &wrong, `SELECT a.tenant || '/' || a.customer_id FROM accounts a
		LEFT JOIN (SELECT tenant, customer_id, SUM(points) AS points FROM ledger GROUP BY tenant, customer_id) l
			ON l.tenant = a.tenant AND l.customer_id = a.customer_id
		LEFT JOIN (SELECT tenant, customer_id, SUM(points) AS points FROM holds WHERE status = 'held' GROUP BY tenant, customer_id) h
			ON h.tenant = a.tenant AND h.customer_id = a.customer_id
		WHERE a.available + a.held <> COALESCE(l.points, 0) OR a.held <> COALESCE(h.points, 0)
		ORDER BY 1 LIMIT 5`)
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("%w: the balance differs from the ledger or the holds of %q", ErrInvalid, wrong)
	}
	return accounts, err
}
