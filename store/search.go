package store

import (
	"context"
	"strings"
)

// DecisionFilter narrows a list; zero fields do not.
type DecisionFilter struct {
	Tenant   string // always set: nobody reads another tenant's log
	From, To Time   // From inclusive, To exclusive
	Subject  string
	Client   string
	Action   string
	Resource string
	Related  string
	Allow    *bool
	Code     string
	Request  string
	Grant    string
	Rule     string // one of those that denied
	Prefix   string // of the id
	Before   int64  // only indexes below it; 0 means from the newest
	After    int64  // only indexes above it, oldest first; -1 or less means off (use with Tail)
	Tail     bool
	Limit    int
}

// Decisions lists records, newest first (oldest first with Tail). It sees all
// that was committed before it was called: what the index does not have yet, it
// reads from the log.
func (db *DB) Decisions(ctx context.Context, f DecisionFilter) (out []Record, err error) {
	to, err := db.LogSize(ctx)
	if err != nil {
		return nil, err
	}
	from := int64(0)
	if f.Tail {
		from = max(0, f.After+1)
	}
	if f.Before > 0 {
		to = min(to, f.Before)
	}
	for from < to && len(out) < f.Limit {
		at, err := db.matches(ctx, &f, &from, &to, f.Limit-len(out))
		if err != nil {
			return nil, err
		}
		found, err := db.recordsAt(ctx, at)
		if err != nil {
			return nil, err
		}
		for i := range found {
			if f.holds(&found[i]) {
				out = append(out, found[i])
			}
		}
	}
	return out, nil
}

// matches finds up to n records for which the filter may hold, and takes what it
// has looked at off the range [from, to).
func (db *DB) matches(ctx context.Context, f *DecisionFilter, from, to *int64, n int) (at []int64, err error) {
	var position int64
	err = db.index.look(ctx, func(v *indexView) (err error) {
		at, position = nil, min(v.position, *to)
		if f.Tail || position == *to {
			at, err = v.candidates(f, *from, position, n)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	looked := indexes{*from, position} // by the index
	if position <= *from || (!f.Tail && position < *to) {
		looked = indexes{max(*from, position), *to}
		if n := looked.to - looked.from; n > indexSoon { // written by another node, which did not index it
			db.index.grown(int(n))
		}
		if at, err = db.scan(ctx, f, looked.from, looked.to, n); err != nil {
			return nil, err
		}
	}
	switch {
	case !f.Tail && len(at) == n:
		*to = at[n-1]
	case !f.Tail:
		*to = looked.from
	case len(at) == n:
		*from = at[n-1] + 1
	default:
		*from = looked.to
	}
	return at, nil
}

// indexes are those from from before to.
type indexes struct{ from, to int64 }

// holds reports whether the filter holds for a record.
func (f *DecisionFilter) holds(r *Record) bool {
	for _, x := range [...][2]string{
		{f.Tenant, r.Tenant}, {f.Subject, r.Subject}, {f.Client, r.Client}, {f.Action, r.Action}, {f.Resource, r.Resource},
		{f.Related, r.Related}, {f.Code, r.Code}, {f.Request, r.Request}, {f.Grant, r.Grant},
	} {
		if x[0] != "" && x[0] != x[1] {
			return false
		}
	}
	return (f.From.IsZero() || !r.At.Before(f.From.Time)) && (f.To.IsZero() || r.At.Before(f.To.Time)) &&
		(f.Allow == nil || *f.Allow == r.Allow) && (f.Rule == "" || r.Rules.Has(f.Rule)) && strings.HasPrefix(r.ID, f.Prefix)
}

// Decision is one record by its id; ErrNotFound also for another tenant's.
func (db *DB) Decision(ctx context.Context, tenant, id string) (*Record, error) {
	if id == "" {
		return nil, ErrNotFound
	}
	f := DecisionFilter{Tenant: tenant, Prefix: id, Limit: 16}
	for {
		list, err := db.Decisions(ctx, f)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if list[i].ID == id {
				return &list[i], nil
			}
		}
		if len(list) < f.Limit {
			return nil, ErrNotFound
		}
		f.Before = list[len(list)-1].Index
	}
}
