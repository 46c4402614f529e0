package store

import (
	"context"
	"time"
)

// Retention is how far the emptying of old records has come.
type Retention struct {
	Next     int64 // the oldest index that may still have its content
	Reached  int64 // behind the last that was emptied; above Next where a younger one lies in front of it
	Reported int64 // where the range of the last report ended
	Emptied  int64 // records that were emptied since
	Day      int64 // of the last report, in days since 1970 UTC
}

// The names of the cursors that a [Retention] is kept in.
const (
	retentionNext     = "retention/next"
	retentionReached  = "retention/reached"
	retentionReported = "retention/reported"
	retentionEmptied  = "retention/emptied"
	retentionDay      = "retention/day"
)

func (r *Retention) cursors() map[string]*int64 {
	return map[string]*int64{
		retentionNext: &r.Next, retentionReached: &r.Reached, retentionReported: &r.Reported, retentionEmptied: &r.Emptied, retentionDay: &r.Day,
	}
}

// Retention reads it; zero at first.
func (db *DB) Retention(ctx context.Context) (r Retention, err error) {
	for name, to := range r.cursors() {
		if *to, err = db.Cursor(ctx, name); err != nil {
			return r, err
		}
	}
	return r, nil
}

// SetRetention keeps it.
func (tx *Tx) SetRetention(ctx context.Context, r Retention) error {
	for name, value := range r.cursors() {
		if err := tx.SetCursor(ctx, name, *value); err != nil {
			return err
		}
	}
	return nil
}

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
// but for clocks that were wrong. A record is old by its own time only: a clock
// that was ahead keeps records longer, and none goes too early.
func (db *DB) EmptyOld(ctx context.Context, from int64, cutoff time.Time, then func(tx *Tx, s OldStep) error) (s OldStep, err error) {
	size, err := db.LogSize(ctx)
	if err != nil || from >= size {
		return OldStep{Looked: from, Left: from}, err
	}
	s.Left = size
	e := Emptying{From: from, To: size, Look: mostRewritten, Gone: func(r *Record) bool {
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
