package admin

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// decision is one record as it is shown: an OPA event.
type decision struct {
	index int64
	event json.RawMessage
}

func viewDecision(d *decision) any { return d.event }

// decisionOf reads one record of a tenant.
func (a *Admin) decisionOf(ctx context.Context, _ store.Reader, t *store.Tenant, id string) (*store.Record, error) {
	return a.Store.Decision(ctx, t.ID, id)
}

// Decisions is /admin/api/decisions: the records, newest first; with after=INDEX
// those above an index, oldest first, for those who follow the log. There is
// nothing to make, change or delete.
func (a *Admin) Decisions() Handlers {
	n := &noun[decision]{
		name: "decision", view: viewDecision,
		get: func(ctx context.Context, reader store.Reader, t *store.Tenant, id string) (*decision, error) {
			r, err := a.decisionOf(ctx, reader, t, id)
			if err != nil {
				return nil, err
			}
			return &decision{r.Index, r.Event()}, nil
		},
	}
	l := &list[decision, store.DecisionFilter]{
		name: n.name, view: viewDecision, filter: a.decisionFilter, rows: a.decisionRows,
		place: func(d *decision) place { return place{Index: d.index + 1} }, // 0 is the beginning
	}
	return Handlers{List: l.handler(a), Read: n.read(a)}
}

var prefix = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (a *Admin) decisionFilter(f *web.Fields) store.DecisionFilter {
	by := a.memberFilter(f)
	by.Prefix, _ = matching(f, "q", prefix)
	by.After, by.Tail = f.Int("after", -1, 1<<62)
	return by
}

// memberFilter narrows by what records are about. Where a mask acts, records have
// pseudonyms, so it looks for those of the values that were asked for.
func (a *Admin) memberFilter(f *web.Fields) (by store.DecisionFilter) {
	from, _ := f.Time("from")
	to, _ := f.Time("to")
	by.From, by.To = store.At(from), store.At(to)
	for _, text := range []struct {
		name    string
		to      *string
		pointer string // in a record; empty where nothing masks it
	}{
		{"subject", &by.Subject, "/input/subject/id"}, {"client", &by.Client, "/input/context/client/id"},
		{"action", &by.Action, ""}, {"resource", &by.Resource, "/input/resource/id"}, {"code", &by.Code, ""},
		{"request_id", &by.Request, "/input/context/request/id"}, {"related", &by.Related, "/custom/related"},
		{"grant", &by.Grant, ""}, {"rule", &by.Rule, ""},
	} {
		*text.to, _ = f.String(text.name, 128)
		if a.Gate.Mask == nil || text.pointer == "" || *text.to == "" || strings.HasPrefix(*text.to, "pn_") {
			continue
		}
		if pseudonym, masked := a.Gate.Mask.Value(text.pointer, *text.to); masked && pseudonym != "" {
			*text.to = pseudonym
		}
	}
	if allow, ok := f.Bool("allow"); ok {
		by.Allow = &allow
	}
	return by
}

func (a *Admin) decisionRows(ctx context.Context, _ store.Reader, q *query[store.DecisionFilter]) ([]decision, error) {
	f := q.filter
	f.Tenant, f.Limit = q.tenant.ID, q.limit
	switch last := q.after.Index - 1; {
	case last < 0:
	case f.Tail:
		f.After = max(f.After, last)
	default:
		f.Before = last
	}
	records, err := a.Store.Decisions(ctx, f)
	out := make([]decision, len(records))
	for i := range records {
		out[i] = decision{records[i].Index, records[i].Event()}
	}
	return out, err
}
