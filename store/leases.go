package store

import (
	"context"
	"errors"
	"time"
)

// lease is a row of leases: who does a thing that one node at a time should do.
type lease struct {
	Holder string `db:"holder"`
	Until  Time   `db:"until"`
	Now    Time   `db:"now"` // the clock that Until is of
}

// Lease asks for the lease called name for holder, a name that no other process
// has, such as the id in its labels. held says that holder has it for at least
// d/2 from the moment of the call, so a holder asks again well before that; d is
// at least a few seconds. Asking costs a read; a write is made once every d/2 by
// the holder, and by others only when the lease has run out.
//
// Times are those of the database's clock where several nodes share one. A
// process that stands still can outlive its lease without noticing: what must
// not happen twice is checked again by [Tx.HoldsLease], inside the write. Where a
// clock was set back, a lease that seems to last for longer than 2·d has run out:
// nobody has asked for one of that length.
func (db *DB) Lease(ctx context.Context, name, holder string, d time.Duration) (held bool, err error) {
	was, err := leaseOf(ctx, db, db, name)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return false, err
	case was.live(d) && was.Holder != holder:
		return false, nil
	case was.live(d) && was.Until.Sub(was.Now.Time) > d/2:
		return true, nil
	}
	err = db.Write(ctx, func(tx *Tx) error {
		held, err = tx.takeLease(ctx, name, holder, d)
		return err
	})
	return held && err == nil, err
}

// ReleaseLease gives the lease up, if holder has it, so that another need not
// wait for its end.
func (db *DB) ReleaseLease(ctx context.Context, name, holder string) error {
	return db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM leases WHERE name = ? AND holder = ?`, name, holder)
		return err
	})
}

// HoldsLease is [ErrConflict] unless holder was the last to get the lease. Its
// time may be over: as long as nobody else took it, nobody else does what it is
// for. Writes of all nodes run one after another, so it holds until the end of
// this one.
func (tx *Tx) HoldsLease(ctx context.Context, name, holder string) error {
	var last string
	err := tx.Get(ctx, &last, `SELECT holder FROM leases WHERE name = ?`, name)
	if errors.Is(err, ErrNotFound) || err == nil && last != holder {
		return ErrConflict
	}
	return err
}

// takeLease is one conditional statement: of two who ask at once, one has it.
func (tx *Tx) takeLease(ctx context.Context, name, holder string, d time.Duration) (bool, error) {
	now, err := clock(ctx, tx, tx.db)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO leases (name, holder, until) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.holder = excluded.holder OR leases.until <= ? OR leases.until > ?`,
		name, holder, At(now.Add(d)), now, At(now.Add(2*d)))
	return n == 1, err
}

func (l *lease) live(d time.Duration) bool {
	return l.Until.After(l.Now.Time) && !l.Until.After(l.Now.Add(2*d))
}

func leaseOf(ctx context.Context, r Reader, db *DB, name string) (*lease, error) {
	var l lease
	if err := r.Get(ctx, &l, `SELECT holder, until FROM leases WHERE name = ?`, name); err != nil {
		return nil, err
	}
	var err error
	l.Now, err = clock(ctx, r, db)
	return &l, err
}

// clock is the time that all who share the database agree on.
func clock(ctx context.Context, r Reader, db *DB) (t Time, err error) {
	if db.dialect.local {
		return At(db.now()), nil
	}
	err = r.Get(ctx, &t, `SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)`)
	return t, err
}
