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
	Allow    *bool
	Code     string
	Request  string
	Grant    string
	Rule     string
	Prefix   string // of the id
	Before   int64  // only indexes below it; 0 means from the newest
	After    int64  // only indexes above it, oldest first; -1 or less means off (use with Tail)
	Tail     bool
	Limit    int
}

// Decisions lists records, newest first (oldest first with Tail). It sees all
// that was committed before it was called.
func (db *DB) Decisions(ctx context.Context, f DecisionFilter) (out []Record, err error) {
	size, err := db.LogSize(ctx)
	if err != nil {
		return nil, err
	}
	var all []Record
	from, to := int64(0), size
	if f.Tail {
		from = max(0, f.After+1)
	}
	if f.Before > 0 {
		to = min(to, f.Before)
	}
	err = db.Records(ctx, from, to, func(r *Record) error {
		if f.holds(r) {
			all = append(all, *r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !f.Tail {
		for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
			all[i], all[j] = all[j], all[i]
		}
	}
	return all[:min(len(all), f.Limit)], nil
}

// holds reports whether the filter holds for a record.
func (f *DecisionFilter) holds(r *Record) bool {
	for _, x := range [][2]string{
		{f.Tenant, r.Tenant}, {f.Subject, r.Subject}, {f.Client, r.Client}, {f.Action, r.Action},
		{f.Resource, r.Resource}, {f.Code, r.Code}, {f.Request, r.Request}, {f.Grant, r.Grant},
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
	list, err := db.Decisions(ctx, DecisionFilter{Tenant: tenant, Prefix: id, Limit: 2})
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].ID == id {
			return &list[i], nil
		}
	}
	return nil, ErrNotFound
}
