package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// writeConn is the writer's connection with its prepared statements. It belongs
// to the writer's goroutine.
type writeConn struct {
	*sqlx.Conn
	dialect    *dialect
	lost       *atomic.Int64 // how many there were before that were dropped
	statements map[string]*sqlx.Stmt
}

func openWriteConn(ctx context.Context, db *DB) (*writeConn, error) {
	c, err := db.write.Connx(ctx)
	if err != nil {
		return nil, err
	}
	return &writeConn{Conn: c, dialect: db.dialect, lost: &db.lost, statements: map[string]*sqlx.Stmt{}}, nil
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

// close gives the connection back. Its statements go first: SQLite puts its log
// into the database and takes it away only when nothing is open any more.
func (c *writeConn) close() {
	for _, p := range c.statements {
		_ = p.Close()
	}
	_ = c.Conn.Close()
}

// drop closes the connection for good: it does not go back to the pool.
func (c *writeConn) drop() {
	c.lost.Add(1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = c.ExecContext(ctx, `ROLLBACK`) // gives up the lock now, whatever else still holds the connection
	for _, p := range c.statements {
		_ = p.Close()
	}
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.Close()
}

// brokenTx says that the group's transaction itself can't go on.
type brokenTx struct{ error }

func (b brokenTx) Unwrap() error { return b.error }
