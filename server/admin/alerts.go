package admin

import (
	"context"
	"regexp"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type alertView struct {
	ID        string     `json:"id"`
	State     string     `json:"state"`
	Severity  string     `json:"severity"`
	Rule      string     `json:"rule"`
	Key       string     `json:"key"`
	Title     string     `json:"title"`
	Detail    string     `json:"detail"`
	Count     int64      `json:"count"`
	Decisions []string   `json:"decisions"`
	RaisedAt  time.Time  `json:"raised_at"`
	LastAt    time.Time  `json:"last_at"`
	ChangedAt *time.Time `json:"changed_at"`
	ChangedBy string     `json:"changed_by,omitempty"`
}

func viewAlert(a *store.Alert) any {
	return alertView{
		ID: a.ID, State: a.State, Severity: a.Severity, Rule: a.Rule, Key: a.Key, Title: a.Title, Detail: a.Detail, Count: a.Count,
		Decisions: shown(a.Decisions), RaisedAt: a.RaisedAt.Time, LastAt: a.LastAt.Time, ChangedAt: when(a.ChangedAt), ChangedBy: a.ChangedBy,
	}
}

var rulePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// Alerts is /admin/api/alerts: what rules over the log found, newest first. Who
// takes one on acknowledges it, and closes it in the end; nobody makes or
// deletes one.
func (a *Admin) Alerts() Handlers {
	n := &noun[store.Alert]{
		name: "alert", view: viewAlert,
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.Alert, error) {
			return store.GetAlert(ctx, r, t.ID, id)
		},
		members: func(f *web.Fields, in *input[store.Alert]) {
			f.Require("state")
			if state, ok := f.OneOf("state", store.AlertAcknowledged, store.AlertClosed); ok {
				in.set(func(row *store.Alert) { row.State = state })
			}
		},
		update: updateAlert,
	}
	l := &list[store.Alert, store.AlertFilter]{
		name: n.name, view: viewAlert, filter: alertFilter,
		place: func(a *store.Alert) place { return place{ID: a.ID, At: a.RaisedAt} },
		rows: func(ctx context.Context, r store.Reader, q *query[store.AlertFilter]) ([]store.Alert, error) {
			f := q.filter
			f.Tenant, f.Limit = q.tenant.ID, q.limit
			f.After = store.AlertPosition{RaisedAt: q.after.At, ID: q.after.ID}
			return store.Alerts(ctx, r, f)
		},
	}
	return Handlers{List: l.handler(a), Read: n.read(a), Update: n.change(a)}
}

func alertFilter(f *web.Fields) (by store.AlertFilter) {
	by.State, _ = f.OneOf("state", store.AlertOpen, store.AlertAcknowledged, store.AlertClosed)
	by.Rule, _ = matching(f, "rule", rulePattern)
	by.Severity, _ = f.OneOf("severity", "low", "medium", "high", "critical")
	from, _ := f.Time("from")
	to, _ := f.Time("to")
	by.From, by.To = store.At(from), store.At(to)
	return by
}

// updateAlert takes an alert on. One that is in this state already stays as it is:
// of two who acknowledge it, the first is named.
func updateAlert(ctx context.Context, tx *store.Tx, c *gate.Call, was, row *store.Alert) error {
	if was.State == row.State {
		return nil
	}
	if err := tx.ChangeAlert(ctx, was.Tenant, was.ID, row.State, c.Caller.ID); err != nil {
		return err
	}
	now, err := store.GetAlert(ctx, tx, was.Tenant, was.ID)
	if err == nil {
		*row = *now
	}
	return err
}
