package audit

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/store"
)

// anchor bounds a clock that somebody may set: the time can't be later than that
// of the newest record was when the process began, and as much as has passed
// since by a clock that nobody sets. A node that stood still for long is late by
// as much until its next start, which is the harmless side.
type anchor struct {
	newest time.Time
	began  time.Time // with Go's monotonic reading
}

// newAnchor reads the newest record. A log without any has nothing to lose.
func newAnchor(ctx context.Context, db *store.DB) (a anchor, err error) {
	size, err := db.LogSize(ctx)
	if err != nil {
		return a, err
	}
	a.began, a.newest = time.Now(), db.Now()
	err = db.Records(ctx, max(0, size-1), size, func(r *store.Record) error { a.newest = r.At.Time; return nil })
	return a, err
}

func (a anchor) isZero() bool { return a.began.IsZero() }

// bound is now, but no later than the anchor lets it be.
func (a anchor) bound(now time.Time) time.Time {
	if latest := a.newest.Add(time.Since(a.began)); now.After(latest) {
		return latest
	}
	return now
}
