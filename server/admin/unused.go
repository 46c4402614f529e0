package admin

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

const (
	unusedEvery = time.Hour
	unusedStep  = 100
	unusedAfter = 30 * 24 * time.Hour
)

// RunUnused removes the clients that registered themselves and that nobody has
// used for 30 days, until ctx ends.
func (a *Admin) RunUnused(ctx context.Context) {
	tick := time.NewTicker(unusedEvery)
	defer tick.Stop()
	for {
		if err := a.removeUnused(ctx); err != nil && ctx.Err() == nil {
			a.Gate.Log.Error("unused clients stay for now", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// removeUnused takes them in small steps, each client by an act of its own.
func (a *Admin) removeUnused(ctx context.Context) error {
	before := store.At(a.Gate.Now().Add(-unusedAfter))
	for ctx.Err() == nil {
		due, err := store.UnusedClients(ctx, a.Store, before, unusedStep)
		if err != nil {
			return err
		}
		for i := range due {
			if err := a.expireClient(ctx, &due[i], before); err != nil {
				return err // one that the policy keeps would be found again and again
			}
		}
		if len(due) < unusedStep {
			break
		}
	}
	return ctx.Err()
}

func (a *Admin) expireClient(ctx context.Context, c *store.Client, before store.Time) error {
	t, err := store.GetTenant(ctx, a.Store, c.Tenant)
	if err != nil {
		return err
	}
	return a.Gate.System(ctx, gate.Act{
		Tenant: t, Action: "client.expire", Resource: policies.Resource{Type: "client", ID: c.ID, Tenant: c.Tenant},
		Facts: oauth2.RegistrationFacts(t, c),
		Effect: func(ctx context.Context, tx *store.Tx, _ *gate.Call) error {
			_, err := tx.DeleteUnusedClient(ctx, c.Tenant, c.ID, before)
			return err // another node may have been faster: as it was wanted
		},
	})
}
