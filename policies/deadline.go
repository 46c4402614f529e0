package policies

import (
	"context"
	"time"
)

// deadline implements topdown.Cancel without a goroutine or a timer: the
// evaluation asks it before each expression. It belongs to one evaluation.
type deadline struct {
	soft  time.Time // for rules that work too long
	hard  time.Time // for anything
	asked uint
	over  bool
}

const (
	littleWork = 4096 // expressions; the default policy needs some two hundred
	lookEvery  = 8    // a look at the clock costs as much as an expression
)

// newDeadline is after limit for rules at work. On a machine that stands still
// that long an evaluation that has hardly begun may go on, up to ten times the
// limit or ctx's own end: denying it would blame the rules for the machine.
func newDeadline(ctx context.Context, begin time.Time, limit time.Duration) *deadline {
	hard := begin.Add(10 * limit)
	if t, ok := ctx.Deadline(); ok && t.Before(hard) {
		hard = t
	}
	return &deadline{soft: begin.Add(limit), hard: hard}
}

// Cancel implements topdown.Cancel; only the evaluation itself calls it.
func (d *deadline) Cancel() { d.over = true }

// Cancelled implements topdown.Cancel.
func (d *deadline) Cancelled() bool {
	if d.asked++; d.over || d.asked%lookEvery != 0 {
		return d.over
	}
	now := time.Now()
	d.over = now.After(d.hard) || d.asked > littleWork && now.After(d.soft)
	return d.over
}
