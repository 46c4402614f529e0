package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// groupTx is one group's transaction.
type groupTx struct {
	conn    *writeConn
	db      *DB
	ctx     context.Context
	head    logHead
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
	return p.GetContext(g.ctx, &g.head)
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
	if err := fn(tx); err != nil {
		return err
	}
	return tx.fault
}
