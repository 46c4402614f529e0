package store

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"
)

// Reader runs queries: a *DB on its pool of readers, a *Tx inside a group's
// transaction. Queries use ? for their parameters and name their columns. Those
// of Get are kept prepared, so they must be constant texts or few.
type Reader interface {
	// Get scans one row into dest; ErrNotFound if there is none.
	Get(ctx context.Context, dest any, query string, args ...any) error
	// Select scans all rows into the slice dest.
	Select(ctx context.Context, dest any, query string, args ...any) error
}

// Get implements [Reader] on the pool of readers.
func (db *DB) Get(ctx context.Context, dest any, query string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.dialect.local {
		// One row out of a file on this machine does not hang; to watch for the
		// end of ctx would cost half as much as the query.
		ctx = context.WithoutCancel(ctx)
	}
	p, err := db.readSQL.prepared(ctx, query)
	if err != nil {
		return err
	}
	return db.kind(p.GetContext(ctx, dest, args...))
}

// Select implements [Reader] on the pool of readers. Texts that are put
// together from filters are many, so they are not kept prepared.
func (db *DB) Select(ctx context.Context, dest any, query string, args ...any) error {
	return db.kind(db.read.SelectContext(ctx, dest, sqlx.Rebind(db.dialect.bind, query), args...))
}

// Tx is the part of a group's transaction that belongs to one write. It is
// only valid inside the function that it was given to, and not safe for
// concurrent use. The ctx of its methods is not heeded: a group is not left
// half done because one of its callers went away.
type Tx struct {
	conn    *writeConn
	db      *DB
	ctx     context.Context // of the group
	records []*Record
	fault   error // of a record; fails the write
}

// Now is the clock of the DB.
func (tx *Tx) Now() Time { return At(tx.db.now()) }

// Record adds a decision to the log, with the transaction. It is kept even when
// a surrounding [Tx.Savepoint] is rolled back, and dropped when the write's
// function returns an error. A body that is no record's fails the write.
func (tx *Tx) Record(r *Record) {
	if err := r.seal(); err != nil {
		tx.fault = err
	}
	tx.records = append(tx.records, r)
}

// Get implements [Reader].
func (tx *Tx) Get(_ context.Context, dest any, query string, args ...any) error {
	p, err := tx.conn.prepared(tx.ctx, query)
	if err != nil {
		return err
	}
	return tx.db.kind(p.GetContext(tx.ctx, dest, args...))
}

// Select implements [Reader].
func (tx *Tx) Select(_ context.Context, dest any, query string, args ...any) error {
	return tx.db.kind(tx.conn.SelectContext(tx.ctx, dest, sqlx.Rebind(tx.db.dialect.bind, query), args...))
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(_ context.Context, query string, args ...any) (int64, error) {
	p, err := tx.conn.prepared(tx.ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := p.ExecContext(tx.ctx, args...)
	if err != nil {
		return 0, tx.db.kind(err)
	}
	return res.RowsAffected()
}

// ExecOne is Exec for a statement that must change a row; when it changed none
// it returns otherwise.
func (tx *Tx) ExecOne(ctx context.Context, otherwise error, query string, args ...any) error {
	n, err := tx.Exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		return otherwise
	}
	return nil
}

// Savepoint runs fn and undoes its statements if it returns an error, which it
// hands on. What was recorded stays.
func (tx *Tx) Savepoint(fn func() error) error { return tx.conn.savepoint(tx.ctx, "effect", fn) }

// where gathers conditions and their arguments.
type where struct {
	terms []string
	args  []any
}

func (w *where) and(term string, arg any) {
	w.terms = append(w.terms, term)
	w.args = append(w.args, arg)
}

func (w *where) andIf(ok bool, term string, arg any) {
	if ok {
		w.and(term, arg)
	}
}

func (w *where) String() string {
	if len(w.terms) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(w.terms, ` AND `)
}
