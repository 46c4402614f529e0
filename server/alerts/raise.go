package alerts

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

const (
	maxKept  = 20  // decisions that an alert names: the newest
	maxWrite = 100 // alerts of one write; more come with the next look
)

// judge asks the rules about each tenant of which something is not judged yet.
// What the rules fail at stays so; the error is the store's.
func (f *Follower) judge(ctx context.Context, now time.Time) error {
	s := f.state
	for _, tenant := range slices.Sorted(maps.Keys(s.dirty)) {
		w := s.tenants[tenant]
		if w == nil { // all of it is too old meanwhile
			delete(s.dirty, tenant)
			continue
		}
		v, named := w.view(tenant, now, s.since)
		raised, err := f.Rules.Alerts(ctx, v)
		if err != nil {
			f.failed("rules", "the rules for alerts failed", err, "tenant", tenant)
			continue
		}
		all, err := f.keep(ctx, tenant, f.found(tenant, raised, named))
		if err != nil {
			return err
		}
		if all {
			delete(s.dirty, tenant)
		}
	}
	return nil
}

// found is what the rules raised, as rows, where there is evidence that the
// store does not have.
func (f *Follower) found(tenant string, raised []policies.Raised, named map[string]int64) []*store.Alert {
	var out []*store.Alert
	for i := range raised {
		a := &store.Alert{
			ID: "alr_" + f.NewID(), Tenant: tenant, Rule: raised[i].Rule, Key: raised[i].Key, Severity: raised[i].Severity,
			Title: raised[i].Title, Detail: raised[i].Detail,
		}
		var err error
		if a.Decisions, a.Evidence, err = newest(raised[i].Decisions, named); err != nil {
			f.failed("evidence", "an alert was left out", err, "tenant", tenant, "rule", a.Rule)
			continue
		}
		if last, ok := f.state.seen[alertKey{tenant, a.Rule, a.Key}]; !ok || a.Evidence > last {
			out = append(out, a)
		}
	}
	return out
}

// newest are the last few of the decisions in the order of the log, and the
// index of the very last.
func newest(decisions []string, named map[string]int64) ([]string, int64, error) {
	for _, id := range decisions {
		if _, ok := named[id]; !ok {
			return nil, 0, errors.New("it names a decision that the rules were not shown")
		}
	}
	sorted := slices.Clone(decisions)
	slices.SortFunc(sorted, func(a, b string) int { return int(named[a] - named[b]) })
	sorted = slices.Compact(sorted)
	return sorted[max(0, len(sorted)-maxKept):], named[sorted[len(sorted)-1]], nil
}

// keep makes the alerts, their records and their mails in one write. all is
// false where there were too many at once: the others are found again.
func (f *Follower) keep(ctx context.Context, tenant string, found []*store.Alert) (all bool, err error) {
	if len(found) == 0 {
		return true, nil
	}
	all = len(found) <= maxWrite
	found = found[:min(len(found), maxWrite)]
	var raised []*store.Alert
	var told error
	err = f.Store.Write(ctx, func(tx *store.Tx) error {
		raised = nil
		if err := tx.HoldsLease(ctx, name, f.Holder); err != nil {
			return err
		}
		for _, a := range found {
			is, err := tx.RaiseAlert(ctx, a)
			if err != nil {
				return err
			}
			if is {
				raised = append(raised, a)
				tx.Record(f.event(a))
			}
		}
		told, err = f.tell(ctx, tx, tenant, raised)
		return err
	})
	if err != nil {
		return false, err
	}
	for _, a := range found {
		f.state.remember(alertKey{a.Tenant, a.Rule, a.Key}, a.Evidence)
	}
	for _, a := range raised {
		f.Log.Warn("alert", "rule", a.Rule, "severity", a.Severity, "tenant", a.Tenant, "alert", a.ID)
		if f.Observer.Raised != nil {
			f.Observer.Raised(a.Rule, a.Severity)
		}
	}
	if told != nil {
		f.failed("mail", "alerts are in the list, and were not mailed", told, "tenant", tenant)
	}
	return all, nil
}

func (f *Follower) event(a *store.Alert) *store.Record {
	return f.Events.Record(gate.System(a.Tenant, gate.AlertRaised{
		Rule: a.Rule, Severity: a.Severity, Revision: f.Rules.Revision(), Decisions: a.Decisions,
	}, gate.Party{Type: "alert", ID: a.ID}))
}
