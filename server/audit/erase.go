package audit

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// Eraser empties the records of persons whose erasure was asked for. It reads
// the log itself, not an index that is made of it: a record that an index lacks
// must not stay. All fields but those marked optional are set before use.
type Eraser struct {
	Store  *store.DB
	Events *gate.Events
	Log    *slog.Logger
	Holder string // of leases: no other process has it
	// Aliases are what else records call a person, such as the pseudonym of a
	// mask. Optional.
	Aliases func(person string) []string
	// Forget takes what names the person out of the search index, where it is
	// about records below an index. Optional.
	Forget func(ctx context.Context, tenant, person string, below int64) error
	// Wait is time.Sleep that a context ends. Optional.
	Wait func(ctx context.Context, d time.Duration) error

	failures atomic.Int64
	// unscrubbed says that what was overwritten may still be in the write-ahead
	// log. It is of the goroutine that runs the passes.
	unscrubbed bool
}

const (
	eraseEvery = 2 * time.Second
	eraseLease = 30 * time.Second
	erasePause = 10 * time.Millisecond // between steps, for those who wait for the writer
)

var errStands = errors.New("audit: an erasure does not get on")

// Failures counts the passes that broke off, for metrics. What was left is done
// by the next.
func (e *Eraser) Failures() int64 { return e.failures.Load() }

// Run works off what is asked for, on one node at a time, until ctx ends. It
// goes on where it, or another node, was killed.
func (e *Eraser) Run(ctx context.Context) {
	// A process that was killed between the end of an erasure and its scrubbing
	// has left that to this one.
	e.unscrubbed = true
	for {
		if err := e.Pass(ctx); err != nil && ctx.Err() == nil {
			e.failures.Add(1)
			e.Log.Error("an erasure is not done yet", "error", err)
		}
		if e.wait(ctx, eraseEvery) != nil {
			return
		}
	}
}

// Pass does what is asked for now; nothing, while another node has the lease.
func (e *Eraser) Pass(ctx context.Context) error {
	for {
		next, err := e.Store.NextErasure(ctx)
		if errors.Is(err, store.ErrNotFound) {
			return e.scrub(ctx)
		}
		if err != nil {
			return err
		}
		if held, err := e.Store.Lease(ctx, "erasures", e.Holder, eraseLease); err != nil || !held {
			return err
		}
		if next.Position < next.Size {
			err = e.step(ctx, next)
		} else {
			err = e.finish(ctx, next)
		}
		if err != nil {
			return err
		}
	}
}

// step looks at some of the log and empties what names the person.
func (e *Eraser) step(ctx context.Context, o *store.Erasure) error {
	next, _, err := e.Store.Empty(ctx, e.emptying(o), func(tx *store.Tx, next, emptied int64) error { return tx.AdvanceErasure(ctx, o.ID, next, emptied) })
	if errors.Is(err, store.ErrConflict) {
		return nil // another node has done it
	}
	if err != nil {
		return err
	}
	if next == o.Position {
		return errStands
	}
	return e.wait(ctx, erasePause)
}

// emptying says which records an erasure empties.
func (e *Eraser) emptying(o *store.Erasure) store.Emptying {
	m := mentionOf(e.names(o.Person)...)
	m.asker = e.names(o.AskedBy)
	return store.Emptying{
		From: o.Position, To: o.Size, By: o.ID, May: m.may,
		Gone: func(r *store.Record) bool { return r.Tenant == o.Tenant && m.in(r) },
	}
}

func (e *Eraser) names(person string) []string {
	names := []string{person}
	if e.Aliases != nil {
		names = append(names, e.Aliases(person)...)
	}
	return names
}

// finish lets the person's id go, and tells the log that it is done. Nothing of
// the person may be left when the log says so.
func (e *Eraser) finish(ctx context.Context, o *store.Erasure) error {
	if e.Forget != nil {
		for _, name := range e.names(o.Person) {
			if err := e.Forget(ctx, o.Tenant, name, o.Size); err != nil {
				return err
			}
		}
	}
	if err := e.Store.Scrub(ctx); err != nil {
		return err
	}
	err := e.Store.Write(ctx, func(tx *store.Tx) error {
		for _, name := range e.names(o.Person) {
			if _, err := tx.EraseAlerts(ctx, o.Tenant, name); err != nil {
				return err
			}
		}
		if err := tx.FinishErasure(ctx, o.ID); err != nil {
			return err
		}
		now, err := store.GetErasure(ctx, tx, o.Tenant, o.ID)
		if err != nil {
			return err
		}
		tx.Record(e.Events.Record(gate.System(o.Tenant,
			gate.ErasureFinished{Erasure: o.ID, Size: o.Size, Records: now.Records, Reason: o.Reason, AskedBy: o.AskedBy},
			gate.Party{Type: "person", ID: o.Pseudonym})))
		return nil
	})
	if errors.Is(err, store.ErrConflict) {
		return nil // another node has done it
	}
	if err != nil {
		return err
	}
	e.unscrubbed = true // the id in the row of the erasure itself
	return nil
}

// scrub takes what was overwritten out of the files. A reader at work holds it
// up: then it is tried again, and is no failure.
func (e *Eraser) scrub(ctx context.Context) error {
	if !e.unscrubbed {
		return nil
	}
	err := e.Store.Scrub(ctx)
	e.unscrubbed = err != nil
	if errors.Is(err, store.ErrUnavailable) {
		return nil
	}
	return err
}

func (e *Eraser) wait(ctx context.Context, d time.Duration) error { return pause(ctx, e.Wait, d) }

// pause sleeps for d, or calls instead, until ctx ends.
func pause(ctx context.Context, instead func(context.Context, time.Duration) error, d time.Duration) error {
	if instead != nil {
		return instead(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
