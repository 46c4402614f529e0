package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Sink is a receiver of the log.
type Sink interface {
	// Name is that of its cursor, and of its series in the metrics: opa, otlp.
	Name() string
	// Send delivers records in the order of their indexes; they are the receiver's
	// when it returns nil. Any other error than a *[Refusal] is one of the way
	// there.
	Send(ctx context.Context, records []store.Record) error
}

// Refusal is a receiver's answer that is not a yes.
type Refusal struct {
	Status int
	After  time.Duration // of Retry-After; 0: it didn't say
	// TooMuch says that fewer records at once may be welcome: they were too large
	// together (413), or one of them is wrong in the eyes of the receiver.
	TooMuch bool
}

// Error implements error.
func (r *Refusal) Error() string {
	return fmt.Sprintf("the receiver answered with status %d", r.Status)
}

// Push brings the log to a [Sink], in order and at least once: it keeps how far
// it has come after each chunk that was taken, and begins there again. Nothing
// waits for it, nothing is skipped, and it holds one read of the log at a time.
// One node pushes at a time. All fields but those marked optional are set before
// use.
type Push struct {
	Store  *store.DB
	Log    *slog.Logger
	Sink   Sink
	Holder string // of leases: no other process has it
	// Wait is time.Sleep that a context ends. Optional.
	Wait func(ctx context.Context, d time.Duration) error

	limit    int // records in a chunk, while the receiver finds chunks too large
	failures atomic.Int64
	stuck    atomic.Int64 // 1 + the index that the receiver refuses
}

const (
	pushEvery   = time.Second
	pushLease   = time.Minute
	chunkBytes  = 1 << 20 // of bodies; about a tenth of it when compressed
	mostRecords = 1000    // in a chunk

	firstDelay   = time.Second
	longestDelay = 5 * time.Minute
	longestAfter = time.Hour // that a receiver may ask for
)

// Failures counts the chunks that did not get through.
func (p *Push) Failures() int64 { return p.failures.Load() }

// Stuck is the index of the record that the receiver refuses by itself and that
// the push therefore stands at; stuck is false where it gets on.
func (p *Push) Stuck() (index int64, stuck bool) {
	n := p.stuck.Load()
	return n - 1, n > 0
}

// Lag is how many records the receiver does not have yet, and how long the
// oldest of them has been in the log.
func (p *Push) Lag(ctx context.Context) (records int64, age time.Duration, err error) {
	next, err := p.Store.Cursor(ctx, p.cursor())
	if err != nil {
		return 0, 0, err
	}
	size, err := p.Store.LogSize(ctx)
	if err != nil || next >= size {
		return 0, 0, err
	}
	err = p.Store.Records(ctx, next, next+1, func(r *store.Record) error {
		age = max(0, p.Store.Now().Sub(r.At.Time))
		return nil
	})
	return size - next, age, err
}

func (p *Push) cursor() string { return "push/" + p.Sink.Name() }

// Run pushes until ctx ends.
func (p *Push) Run(ctx context.Context) {
	for failed := 0; ; {
		delay := pushEvery
		switch err := p.Pass(ctx); {
		case ctx.Err() != nil:
			return
		case err == nil:
			failed = 0
		default:
			p.failures.Add(1)
			delay = backOff(failed, err)
			failed++
			p.Log.Error("records wait to be pushed", "sink", p.Sink.Name(), "error", err, "again_in", delay.Round(time.Millisecond).String())
		}
		if pause(ctx, p.Wait, delay) != nil {
			return
		}
	}
}

// backOff doubles with each failure, to a bound, with half of it left to chance
// so that nodes and installations don't come together; a receiver that names a
// time is given that.
func backOff(failed int, err error) time.Duration {
	var r *Refusal
	if errors.As(err, &r) && r.After > 0 {
		return min(r.After, longestAfter)
	}
	d := min(firstDelay<<min(failed, 16), longestDelay)
	return d/2 + rand.N(d/2)
}

// Pass brings the receiver up to the end of the log as it is now; nothing, while
// another node has the lease. What broke off is read anew the next time: a
// record that was erased meanwhile must not leave with its content.
func (p *Push) Pass(ctx context.Context) error {
	next, err := p.Store.Cursor(ctx, p.cursor())
	if err != nil {
		return err
	}
	size, err := p.Store.LogSize(ctx)
	if err != nil {
		return err
	}
	if next >= size {
		p.stuck.Store(0)
		return nil
	}
	held, err := p.Store.Lease(ctx, p.cursor(), p.Holder, pushLease)
	if err != nil {
		return err
	}
	if !held {
		p.stuck.Store(0) // it is the other node's to tell
		return nil
	}
	var chunk []store.Record
	bytes := 0
	err = p.Store.Records(ctx, next, size, func(r *store.Record) error {
		chunk = append(chunk, *r)
		bytes += len(r.Body)
		if bytes < chunkBytes && len(chunk) < mostRecords && r.Index < size-1 {
			return nil
		}
		err := p.deliver(ctx, chunk)
		chunk, bytes = nil, 0
		return err
	})
	return err
}

// deliver sends a chunk, in parts if the receiver finds it too large.
func (p *Push) deliver(ctx context.Context, chunk []store.Record) error {
	for len(chunk) > 0 {
		part := chunk
		if p.limit > 0 {
			part = chunk[:min(len(chunk), p.limit)]
		}
		err := p.Sink.Send(ctx, part)
		var r *Refusal
		if errors.As(err, &r) && r.TooMuch {
			if len(part) > 1 {
				p.limit = len(part) / 2
				continue
			}
			p.stuck.Store(part[0].Index + 1)
			return fmt.Errorf("index %d is refused by itself, and nothing is skipped: %w", part[0].Index, err)
		}
		if err != nil {
			return err
		}
		if err := p.keep(ctx, part[len(part)-1].Index+1); err != nil {
			return err
		}
		p.stuck.Store(0)
		if p.limit *= 2; p.limit >= mostRecords {
			p.limit = 0
		}
		chunk = chunk[len(part):]
	}
	return nil
}

// keep is what makes a chunk the receiver's. A node that lost the lease while it
// was sending leaves it to the other one, which sends the chunk again.
func (p *Push) keep(ctx context.Context, next int64) error {
	held, err := p.Store.Lease(ctx, p.cursor(), p.Holder, pushLease)
	if err == nil && !held {
		err = errLeaseLost
	}
	if err != nil {
		return err
	}
	return p.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.HoldsLease(ctx, p.cursor(), p.Holder); err != nil {
			return err
		}
		return tx.SetCursor(ctx, p.cursor(), next)
	})
}
