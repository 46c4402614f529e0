package store

import (
	"context"
	"time"
)

// Retention is how far the emptying of old records has come.
type Retention struct {
	Next     int64 `db:"next"`     // the oldest index that may still have its content
	Reached  int64 `db:"reached"`  // behind the last that was emptied; above Next where a younger one lies in front of it
	Reported int64 `db:"reported"` // where the range of the last report ended
	Emptied  int64 `db:"emptied"`  // records that were emptied since
	DoneAt   Time  `db:"done_at"`  // when the last pass came to its end; zero: there was none
	HeldAt   Time  `db:"held_at"`  // since when a pass waits because it would empty too much at once; zero: none does
}

// Retention reads it; zero at first.
func (db *DB) Retention(ctx context.Context) (r Retention, err error) {
	err = db.Get(ctx, &r, `SELECT next, reached, reported, emptied, done_at, held_at FROM retention`)
	return r, err
}

// SetRetention keeps it.
func (tx *Tx) SetRetention(ctx context.Context, r Retention) error {
	return tx.ExecOne(ctx, ErrNotFound, `UPDATE retention SET next = ?, reached = ?, reported = ?, emptied = ?, done_at = ?, held_at = ?`,
		r.Next, r.Reached, r.Reported, r.Emptied, r.DoneAt, r.HeldAt)
}

// accounts are the actions whose records say which others were emptied, by whom
// and why, and which published checkpoints were given up. They never get old:
// without them, nobody could tell an erasure from a crime, nor a rollback that was
// accepted from one that was not.
var accounts = map[string]bool{"erasure.create": true, "erasure.finish": true, "trail.retain": true, "trail.rollback": true}

// OldStep is what one step of [DB.EmptyOld] came to.
type OldStep struct {
	Looked  int64 // the index after the last record that it looked at
	Left    int64 // the first that keeps its content; Looked if none does
	Emptied int64 // now
	Old     int64 // the index after the last whose time is over, emptied now or before; 0 if there is none
}

// EmptyOld takes one step of emptying the records from index from on that were
// made before the cutoff, and calls then in the same write.
//
// The log is in the order of its commits, which is that of its records' times
// but for clocks that were wrong. A record is old by its own time only: one that a
// clock which was ahead has made stays longer, and one that a clock which was
// behind has made goes earlier.
func (db *DB) EmptyOld(ctx context.Context, from int64, cutoff time.Time, then func(tx *Tx, s OldStep) error) (s OldStep, err error) {
	size, err := db.LogSize(ctx)
	if err != nil || from >= size {
		return OldStep{Looked: from, Left: from}, err
	}
	s.Left = size
	e := Emptying{From: from, To: size, Look: mostRewritten, Gone: func(r *Record) bool {
		if accounts[r.Action] {
			return false // it is neither old nor left: nobody comes back for it
		}
		old := r.At.Before(cutoff)
		if old {
			s.Old = max(s.Old, r.Index+1)
		}
		if !old && !r.Erased {
			s.Left = min(s.Left, r.Index)
		}
		return old
	}}
	_, _, err = db.Empty(ctx, e, func(tx *Tx, next, emptied int64) error {
		s.Looked, s.Emptied, s.Left = next, emptied, min(s.Left, next)
		return then(tx, s)
	})
	return s, err
}

// AnyOld reports whether [DB.EmptyOld], from index from on, would empty a record
// in its first step.
func (db *DB) AnyOld(ctx context.Context, from int64, cutoff time.Time) (bool, error) {
	size, err := db.LogSize(ctx)
	if err != nil || from >= size {
		return false, err
	}
	_, n, err := db.CountEmpty(ctx, Emptying{From: from, To: size, Look: mostRewritten, Gone: func(r *Record) bool {
		return !accounts[r.Action] && r.At.Before(cutoff)
	}})
	return n > 0, err
}
