package points

import (
	"context"
	"errors"
	"time"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// batch is how many lots and how many holds of a tenant one sweep looks at.
const batch = 200

// maxPause is how long a sweep that fails again and again waits.
const maxPause = 5 * time.Minute

// Run sweeps every so often, and at once again while there is more than a
// sweep takes, until ctx ends. Failures are logged; after each the pause
// doubles, because every refusal is a record: a policy that refuses all expiry
// must not fill the log.
func (p *Points) Run(ctx context.Context, every time.Duration) {
	pause := every
	for ctx.Err() == nil {
		n, err := p.Sweep(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			p.Gate.Log.Error("sweep", "expired", n, "error", err)
			pause = min(2*pause, maxPause)
		case n >= batch:
			continue
		default:
			pause = every
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Sweep lets holds and lots expire whose time is over, each through the gate as
// an act of the system, and returns how many did. One that is refused does not
// stop the others; it stays due and is asked for again. Sweeps may run on
// several nodes at once: what another has taken is passed over.
func (p *Points) Sweep(ctx context.Context) (n int, err error) {
	tenants, err := store.Tenants(ctx, p.Store)
	if err != nil {
		return 0, err
	}
	var errs []error
	for i := range tenants {
		holds, err := p.sweepHolds(ctx, &tenants[i])
		errs = append(errs, err)
		lots, err := p.sweepLots(ctx, &tenants[i]) // after the holds: what they gave back may be due
		errs = append(errs, err)
		n += holds + lots
	}
	return n, errors.Join(errs...)
}

func (p *Points) sweepHolds(ctx context.Context, t *store.Tenant) (n int, err error) {
	due, err := store.DueHolds(ctx, p.Store, t.ID, store.At(p.Gate.Now()), batch)
	for i := range due {
		if ctx.Err() != nil {
			return n, errors.Join(err, ctx.Err())
		}
		done, failed := p.expireHold(ctx, t, &due[i])
		err = errors.Join(err, failed)
		n += done
	}
	return n, err
}

func (p *Points) sweepLots(ctx context.Context, t *store.Tenant) (n int, err error) {
	due, err := store.DueLots(ctx, p.Store, t.ID, store.At(p.Gate.Now()), batch)
	for _, e := range due {
		if ctx.Err() != nil {
			return n, errors.Join(err, ctx.Err())
		}
		done, failed := p.expireLots(ctx, t, e)
		err = errors.Join(err, failed)
		n += done
	}
	return n, err
}

// expireHold gives one hold's points back; done is 0 if it was closed meanwhile.
func (p *Points) expireHold(ctx context.Context, t *store.Tenant, h *store.Hold) (done int, err error) {
	err = p.Gate.System(ctx, gate.Act{
		Tenant: t, Action: "hold.expire", Resource: resource(t.ID, h.CustomerID), Facts: policies.Facts{"points": h.Points},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call) error {
			done = 0
			err := tx.ExpireHold(ctx, h, store.At(c.Now))
			if errors.Is(err, store.ErrConflict) {
				return nil
			}
			done = 1
			return err
		},
	})
	if err != nil {
		return 0, err
	}
	return done, nil
}

// expireLots posts one line for what a customer loses at one instant; done is 0
// if another has posted it meanwhile.
func (p *Points) expireLots(ctx context.Context, t *store.Tenant, e store.Expiry) (done int, err error) {
	err = p.Gate.System(ctx, gate.Act{
		Tenant: t, Action: "points.expire", Resource: resource(t.ID, e.CustomerID), Facts: policies.Facts{"points": e.Points},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call) error {
			l := p.newLine(c, store.LineExpire)
			l.CustomerID, l.Reason, l.EffectiveAt = e.CustomerID, "Expired", e.At
			err := tx.ExpireLots(ctx, l)
			done = 0
			if l.Points != 0 {
				done = 1
			}
			return err
		},
	})
	if err != nil {
		return 0, err
	}
	return done, nil
}
