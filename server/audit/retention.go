package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// Retainer empties records whose time is over. Their entries stay in the tree.
// It can't be undone, so one clock that is wrong doesn't decide it: see anchor
// and errHeld. All fields but those marked optional are set before use.
type Retainer struct {
	Store  *store.DB
	Events *gate.Events
	Log    *slog.Logger
	Now    func() time.Time
	Keep   time.Duration // how long a record has its content; 0: for ever
	Home   string        // the tenant whose log says what was done
	Holder string        // of leases: no other process has it
	// Forget takes what persons are found by out of the search index, for all
	// records below an index. Optional.
	Forget func(ctx context.Context, below int64) error
	// Wait is time.Sleep that a context ends. Optional.
	Wait func(ctx context.Context, d time.Duration) error

	anchor   anchor
	failures atomic.Int64
}

const (
	retainAtOnce = 7 * 24 * time.Hour // what is older by more than this waits
	retainHold   = 7 * 24 * time.Hour // for so long
	retainEvery  = 10 * time.Minute
	retainLease  = time.Minute
	retainPause  = 50 * time.Millisecond // between steps, for those who wait for the writer
)

// Failures counts the passes that broke off, for metrics.
func (r *Retainer) Failures() int64 { return r.failures.Load() }

// Run empties what is old once a day, on one node at a time, until ctx ends. A
// pass that was interrupted goes on at the next start.
func (r *Retainer) Run(ctx context.Context) {
	if r.Keep <= 0 {
		return
	}
	for {
		if err := r.Pass(ctx); err != nil && ctx.Err() == nil {
			r.failures.Add(1)
			r.Log.Error("old records keep their content for now", "error", err)
		}
		if pause(ctx, r.Wait, retainEvery) != nil {
			return
		}
	}
}

// Anchor takes the time of the newest record as a proof of the clock. It is called
// before this process records anything; else the first pass does it.
func (r *Retainer) Anchor(ctx context.Context) (err error) {
	r.anchor, err = newAnchor(ctx, r.Store)
	return err
}

// Pass empties what is old, unless that was done this day (UTC), or another node
// is at it.
func (r *Retainer) Pass(ctx context.Context) error {
	if r.anchor.isZero() {
		if err := r.Anchor(ctx); err != nil {
			return err
		}
	}
	now := r.anchor.bound(r.Now()).UTC()
	at, err := r.Store.Retention(ctx)
	if err != nil || day(now) == day(at.DoneAt.Time) {
		return err
	}
	if held, err := r.Store.Lease(ctx, "retention", r.Holder, retainLease); err != nil || !held {
		return err
	}
	if at, err = r.Store.Retention(ctx); err != nil || day(now) == day(at.DoneAt.Time) {
		return err // another node has done it meanwhile
	}
	cutoff := now.Add(-r.Keep)
	if err := r.hold(ctx, &at, now); err != nil {
		return err
	}
	if err := r.empty(ctx, &at, cutoff); err != nil {
		return err
	}
	at.DoneAt, at.HeldAt = store.At(now), store.Time{}
	return r.report(ctx, at, cutoff)
}

func day(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// errHeld says that a pass waits. Each day takes a day's records; many more at
// once mean that the clock jumped, that nothing ran for long, or that the setting
// is another. Nobody can tell which from here, so there is time to look.
var errHeld = errors.New("audit: more records than a week's are old at once: look at the clock and at retention_days")

// hold lets a pass wait that would empty too much at once, and tells the log so.
func (r *Retainer) hold(ctx context.Context, at *store.Retention, now time.Time) error {
	cutoff := now.Add(-r.Keep - retainAtOnce)
	jumped, err := r.Store.AnyOld(ctx, at.Next, cutoff)
	if err == nil && !jumped && at.Reached > at.Next { // a younger one lies in front, and what is behind it is emptied
		jumped, err = r.Store.AnyOld(ctx, at.Reached, cutoff)
	}
	if err != nil {
		return err
	}
	until := at.HeldAt.Add(retainHold)
	switch known := !at.HeldAt.IsZero() && !at.HeldAt.After(now); {
	case jumped && known && until.After(now):
		return fmt.Errorf("%w; until %s", errHeld, until.Format(time.RFC3339))
	case jumped && known, !jumped:
		return nil
	}
	at.HeldAt, until = store.At(now), now.Add(retainHold)
	err = r.Store.Write(ctx, func(tx *store.Tx) error {
		tx.Record(r.Events.Record(gate.System(r.Home, gate.RetentionHeld{Before: now.Add(-r.Keep), Until: until}, gate.Party{Type: "trail", ID: "records"})))
		return r.keep(ctx, tx, *at)
	})
	if err != nil {
		return err
	}
	return fmt.Errorf("%w; until %s", errHeld, until.Format(time.RFC3339))
}

// empty goes on from the oldest record that may have its content until it comes
// to where nothing is old. Younger ones in front of old ones, which a wrong clock
// made, don't stop it; it begins with them the next time.
func (r *Retainer) empty(ctx context.Context, at *store.Retention, cutoff time.Time) error {
	left := int64(-1) // the first that was left
	for from := at.Next; ; {
		var now store.Retention
		s, err := r.Store.EmptyOld(ctx, from, cutoff, func(tx *store.Tx, s store.OldStep) error {
			now = *at
			now.Emptied, now.Reached = now.Emptied+s.Emptied, max(now.Reached, s.Old)
			if now.Next = s.Left; left >= 0 {
				now.Next = left
			}
			return r.keep(ctx, tx, now)
		})
		if err != nil {
			return err
		}
		if s.Looked == from {
			return nil // the end of the log
		}
		*at, from = now, s.Looked
		if left < 0 && s.Left < s.Looked {
			left = s.Left
		}
		if s.Old == 0 {
			return nil
		}
		if err := pause(ctx, r.Wait, retainPause); err != nil {
			return err
		}
		if held, err := r.Store.Lease(ctx, "retention", r.Holder, retainLease); err != nil || !held {
			return errors.Join(err, errLeaseLost)
		}
	}
}

// keep keeps how far it has come, unless another node has the lease: what that one
// has emptied and told must not be counted anew.
func (r *Retainer) keep(ctx context.Context, tx *store.Tx, at store.Retention) error {
	if err := tx.HoldsLease(ctx, "retention", r.Holder); err != nil {
		return errors.Join(err, errLeaseLost)
	}
	return tx.SetRetention(ctx, at)
}

var errLeaseLost = errors.New("audit: another node has the lease")

// report tells the log what was emptied, if anything was.
func (r *Retainer) report(ctx context.Context, at store.Retention, cutoff time.Time) error {
	done := gate.TrailRetained{From: at.Reported, To: max(at.Next, at.Reached), Records: at.Emptied, Before: cutoff}
	if at.Emptied > 0 {
		if r.Forget != nil {
			if err := r.Forget(ctx, done.To); err != nil {
				return err
			}
		}
		if err := r.Store.Scrub(ctx); err != nil {
			return err
		}
	}
	return r.Store.Write(ctx, func(tx *store.Tx) error {
		next := at
		next.Reported, next.Emptied = done.To, 0
		if done.Records > 0 {
			tx.Record(r.Events.Record(gate.System(r.Home, done, gate.Party{Type: "trail", ID: "records"})))
		} else {
			next.Reported = at.Reported
		}
		return r.keep(ctx, tx, next)
	})
}
