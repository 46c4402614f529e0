package alerts

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// Rules say what is worth a look; *policies.Engine does.
type Rules interface {
	Alerts(ctx context.Context, w *policies.Window) ([]policies.Raised, error)
	Revision() string
}

// Observer is told what happens, for metrics; each of its functions is optional.
type Observer struct {
	// Raised is called for each new alert, once it is kept.
	Raised func(rule, severity string)
	// Failed is called for what went wrong and will be tried again, or was left
	// out: rules, evidence, store, mail.
	Failed func(what string)
	// Behind is called after each step with how many records are not judged yet.
	Behind func(records int64)
}

// Follower reads the log and raises alerts. All fields but MailTo and Observer
// are set before use. Run and Step are not safe for concurrent use.
type Follower struct {
	Store  *store.DB
	Rules  Rules
	Events *gate.Events
	Log    *slog.Logger
	Now    func() time.Time
	NewID  func() string // the random part of the ids of alerts and mails: letters, digits, _ and -
	Holder string        // name of this process, for the lease
	Home   string        // the tenant of what belongs to none
	// MailTo are who is told of each new alert of each tenant: addresses that
	// mail.Address has read. Without any, alerts are in the list alone.
	MailTo   []string
	Observer Observer

	state *state // nil while another node follows
}

const (
	name      = "alerts" // of the lease and of the cursor
	leaseTime = 15 * time.Second
	tickEvery = 2 * time.Second

	maxStep    = 20_000 // records of one step, after which the lease is looked at
	cursorStep = 10 * time.Second
	rest       = 30 // times what the last evaluation took, before the next
	cleanEvery = time.Hour
	cleanStep  = 500
)

// Run follows until ctx ends, and then lets another node take over at once.
func (f *Follower) Run(ctx context.Context) {
	tick, clean := time.NewTicker(tickEvery), time.NewTicker(cleanEvery)
	defer tick.Stop()
	defer clean.Stop()
	for {
		select {
		case <-ctx.Done():
			f.release()
			return
		case <-tick.C:
			f.catchUp(ctx)
		case <-clean.C:
			f.clean(ctx)
		}
	}
}

func (f *Follower) catchUp(ctx context.Context) {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = f.Step(ctx); err != nil && ctx.Err() == nil {
			f.failed("store", "the log is not followed for now", err)
			return
		}
	}
}

// Step reads what is new in the log, at most some thousand records, and judges
// it. more says that there is more to read. An error is the store's: the step is
// tried again, from where it was.
func (f *Follower) Step(ctx context.Context) (more bool, err error) {
	held, err := f.Store.Lease(ctx, name, f.Holder, leaseTime)
	if err != nil || !held {
		f.state = nil
		return false, err
	}
	if f.state == nil {
		if f.state, err = f.begin(ctx); err != nil {
			return false, err
		}
	}
	size, err := f.Store.LogSize(ctx)
	if err != nil {
		return false, err
	}
	s := f.state
	to := min(size, s.next+maxStep)
	if s.next < to {
		if err := f.Store.Records(ctx, s.next, to, func(r *store.Record) error { return f.take(ctx, r) }); err != nil {
			return false, f.orLost(err)
		}
	}
	if f.Observer.Behind != nil {
		f.Observer.Behind(size - s.next)
	}
	if s.next < size {
		return s.next == to, nil // less than was asked for: the rest is tried at the next tick
	}
	return false, f.orLost(f.settle(ctx))
}

// orLost drops what is known where another node has the lease now.
func (f *Follower) orLost(err error) error {
	if errors.Is(err, store.ErrConflict) {
		f.state = nil
		return nil
	}
	return err
}

// take adds one record. Where a new minute begins, the one before is judged as
// it was: who comes late misses nothing that was only to be seen then.
func (f *Follower) take(ctx context.Context, r *store.Record) error {
	s, at := f.state, r.At.Time
	if now := f.Now(); at.After(now) {
		at = now // of a node whose clock is ahead
	}
	if m := minuteOf(at); m > s.minute {
		if err := f.judge(ctx, time.Unix(s.minute*60+59, 0)); err != nil {
			return err
		}
		s.advance(m)
	}
	if s.since.IsZero() {
		s.since = at
	}
	tenant := r.Tenant
	if tenant == "" {
		tenant = f.Home
	}
	s.add(tenant, r, at)
	return nil
}

// settle judges what is there at the end of the log, and keeps how far that is.
func (f *Follower) settle(ctx context.Context) error {
	s, now := f.state, f.Now()
	if len(s.dirty) > 0 && time.Now().Before(s.restUntil) {
		return nil
	}
	s.advance(minuteOf(now))
	begin := time.Now()
	if err := f.judge(ctx, now); err != nil {
		return err
	}
	s.restUntil = time.Now().Add(rest * time.Since(begin))
	if len(s.dirty) > 0 || s.next == s.kept || now.Sub(s.keptAt) < cursorStep {
		return nil
	}
	return f.keepCursor(ctx, now)
}

func (f *Follower) keepCursor(ctx context.Context, now time.Time) error {
	s, next := f.state, f.state.next
	err := f.Store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.HoldsLease(ctx, name, f.Holder); err != nil {
			return err
		}
		return tx.SetCursor(ctx, name, next)
	})
	if err == nil {
		s.kept, s.keptAt = next, now
	}
	return err
}

// release keeps how far the log is judged, and gives the lease up.
func (f *Follower) release() {
	if f.state == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s := f.state; len(s.dirty) == 0 && s.next != s.kept {
		if err := f.keepCursor(ctx, f.Now()); err != nil {
			f.Log.Warn("some records will be judged again", "error", err)
		}
	}
	if err := f.Store.ReleaseLease(ctx, name, f.Holder); err != nil {
		f.Log.Warn("another node has to wait for the lease", "error", err)
	}
	f.state = nil
}

func (f *Follower) clean(ctx context.Context) {
	for n := int64(cleanStep); n == cleanStep && ctx.Err() == nil; {
		err := f.Store.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.DeleteAlerts(ctx, cleanStep)
			return err
		})
		if err != nil {
			f.failed("store", "old alerts stay for now", err)
			return
		}
	}
}

func (f *Follower) failed(what, says string, err error, more ...any) {
	f.Log.Error(says, append(more, "error", err)...)
	if f.Observer.Failed != nil {
		f.Observer.Failed(what)
	}
}
