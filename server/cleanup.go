package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/pointgate/pointgate/store"
)

// cleanup removes rows whose time is over: of the nodes that share a database
// one at a time. It does so in steps small enough that nobody waiting behind one
// notices, and rests after each: however much there is to remove, the database
// is somebody else's nearly all the time.
type cleanup struct {
	store   *store.DB
	log     *slog.Logger
	holder  string                     // of the lease
	removed func(rows string, n int64) // is told of each step; nil: nobody is
	size    int                        // rows of the next step
}

const (
	cleanEvery = time.Minute
	cleanLease = time.Minute
	cleanStep  = 4 * time.Millisecond // that a step should take
	cleanRest  = 15                   // times as long as the step took
	cleanLeast = 10                   // rows of a step
	cleanMost  = 500
)

func (c *cleanup) run(ctx context.Context) {
	tick := time.NewTicker(cleanEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.pass(ctx)
		}
	}
}

// pass removes all that may go.
func (c *cleanup) pass(ctx context.Context) {
	c.size = max(c.size, cleanLeast)
	for more := true; more && ctx.Err() == nil; {
		if held, err := c.store.Lease(ctx, "cleanup", c.holder, cleanLease); err != nil || !held {
			c.failed(ctx, "", err)
			return
		}
		more = c.round(ctx)
	}
}

// round makes a step with each kind of row, so that none waits for another's
// backlog, and reports whether any may have more. What others refer to has its
// turn once those are gone.
func (c *cleanup) round(ctx context.Context) (more bool) {
	for _, rows := range store.ExpiredRows() {
		if rows.Last && more {
			return true
		}
		full, err := c.step(ctx, &rows)
		if err != nil {
			c.failed(ctx, rows.Rows, err)
			return false
		}
		more = more || full
	}
	return more
}

// step removes some rows, reports whether they were as many as it may remove at
// once, and rests.
func (c *cleanup) step(ctx context.Context, rows *store.Expired) (full bool, err error) {
	var n int64
	var took time.Duration
	err = c.store.Write(ctx, func(tx *store.Tx) (err error) {
		began := time.Now()
		n, err = rows.Remove(ctx, tx, c.size)
		took = time.Since(began)
		return err
	})
	if err != nil || n == 0 {
		return false, err
	}
	if c.removed != nil {
		c.removed(rows.Rows, n)
	}
	full = n == int64(c.size)
	c.size = fitting(c.size, took)
	rest := time.NewTimer(cleanRest * took)
	defer rest.Stop()
	select {
	case <-ctx.Done():
	case <-rest.C:
	}
	return full, nil
}

// fitting is how many rows the next step should have, after one of this size
// took so long.
func fitting(size int, took time.Duration) int {
	switch {
	case took > cleanStep:
		return max(size/2, cleanLeast)
	case took < cleanStep/4:
		return min(size*2, cleanMost)
	}
	return size
}

func (c *cleanup) failed(ctx context.Context, rows string, err error) {
	if err != nil && ctx.Err() == nil {
		c.log.Error("expired rows stay for now", "rows", rows, "error", err)
	}
}
