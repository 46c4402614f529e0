package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pointgate/pointgate/store/trail"
)

// emptied keeps account of the records without content: each must be one that
// an erasure or the retention took, by the word of records that are sound. What
// stands beside an emptied record itself, nothing vouches for.
type emptied struct {
	named    map[string]*named   // by the decision that they name
	erasures map[string]*erasure // what the log says of those decisions
	aged     []aged              // ranges that name none
	retained retained            // what the log says of the retention
	last     Time                // of the sound record before
}

// named is what was emptied by one erasure.
type named struct {
	Finding // from the first to the last
	count   int64
	tenants []string
}

// erasure is a decision that allowed to empty records of a tenant.
type erasure struct {
	tenant   string
	size     int64 // records from here on were not to be looked at
	finished bool
	records  int64 // that it emptied, once it is finished
	told     int64 // the index of the record that says so
}

// aged is a range that names no erasure, with the times of its sound neighbours.
type aged struct {
	from, to     int64
	lower, upper Time
}

// retained adds up what the retention has told.
type retained struct {
	to      int64
	records int64
	before  time.Time
}

// told is what the events of erasures and of the retention say in custom.
type told struct {
	Custom struct {
		Erasure           string
		Size, Records, To int64
		Before            time.Time
	}
}

// sound takes a record into account that is the one that was logged.
func (e *emptied) sound(r *Record) {
	e.last = r.At
	if n := len(e.aged); n > 0 && e.aged[n-1].upper.IsZero() {
		e.aged[n-1].upper = r.At
	}
	var t told
	switch r.Action {
	case "erasure.create":
		if r.Allow && r.Status == 202 && e.erasures[r.ID] == nil { // 200 is a preview
			e.erasures[r.ID] = &erasure{tenant: r.Tenant, size: r.Index}
		}
	case "erasure.finish":
		if json.Unmarshal(r.Body, &t) == nil {
			e.erasures[t.Custom.Erasure] = &erasure{tenant: r.Tenant, size: t.Custom.Size, finished: true, records: t.Custom.Records, told: r.Index}
		}
	case "trail.retain":
		if json.Unmarshal(r.Body, &t) == nil {
			e.retained.records += t.Custom.Records
			e.retained.to = max(e.retained.to, t.Custom.To)
			if t.Custom.Before.After(e.retained.before) {
				e.retained.before = t.Custom.Before
			}
		}
	}
}

// gone takes a record into account that has no content.
func (e *emptied) gone(r *Record) {
	if r.ErasedBy == "" {
		if n := len(e.aged); n > 0 && e.aged[n-1].to == r.Index-1 {
			e.aged[n-1].to = r.Index
		} else {
			e.aged = append(e.aged, aged{from: r.Index, to: r.Index, lower: e.last})
		}
		return
	}
	n := e.named[r.ErasedBy]
	if n == nil {
		n = &named{Finding: Finding{From: r.Index}}
		e.named[r.ErasedBy] = n
	}
	n.To, n.count = r.Index, n.count+1
	if !slices.Contains(n.tenants, r.Tenant) {
		n.tenants = append(n.tenants, r.Tenant)
	}
}

// account finds what nothing accounts for.
func (v *verifier) account(ctx context.Context) error {
	var running []string
	if err := v.db.Select(ctx, &running, `SELECT id FROM erasures WHERE done_at IS NULL`); err != nil {
		return err
	}
	was := v.gone.retained.records
	if err := v.hear(ctx); err != nil { // after what is running was asked for: whatever isn't has told by now
		return err
	}
	for id, n := range v.gone.named {
		if why := v.gone.erasures[id].excuses(n, slices.Contains(running, id), v.head.Size); why != "" {
			v.find(n.From, n.To, "emptied by the decision %q, %s", id, why)
		}
	}
	at, err := v.db.Retention(ctx)
	if err != nil {
		return err
	}
	v.accountForAged(at, at.Emptied > 0 || v.gone.retained.records != was)
	return nil
}

// hear listens to what was logged since: an erasure may have emptied records
// that were read, and have told of it behind the end that was known.
func (v *verifier) hear(ctx context.Context) error {
	size, err := v.db.LogSize(ctx)
	if err != nil {
		return err
	}
	return v.db.Records(ctx, v.head.Size, size, func(r *Record) error {
		if !r.Erased && trail.Commit(r.Nonce, r.Body).At(r.Index) == r.Entry {
			v.gone.sound(r)
		}
		return nil
	})
}

// excuses says why an erasure does not account for what names it; "" if it does.
// One that told behind the end may have emptied more than was seen to be.
func (e *erasure) excuses(n *named, running bool, end int64) string {
	switch {
	case e == nil:
		return "which the log does not have"
	case n.To >= e.size:
		return fmt.Sprintf("which was about records below %d", e.size)
	case len(n.tenants) != 1 || n.tenants[0] != e.tenant:
		return "which was about another tenant"
	case !e.finished && !running:
		return "which the log does not say was carried out"
	case e.finished && (n.count > e.records || n.count < e.records && e.told < end):
		return fmt.Sprintf("which emptied %d; here are %d", e.records, n.count)
	}
	return ""
}

// accountForAged compares with what the retention has told. A pass that has not
// come to its end has emptied records that the log doesn't tell of yet; the
// database says how many, and the end of the pass will. While one is under way,
// fewer may have been seen than it tells.
func (v *verifier) accountForAged(at Retention, underWay bool) {
	told, count := v.gone.retained, int64(0)
	if at.Emptied > 0 {
		told.to = max(told.to, at.Next, at.Reached)
	}
	for _, a := range v.gone.aged {
		count += a.to - a.from + 1
		switch {
		case a.to >= told.to:
			v.find(max(a.from, told.to), a.to, "emptied, and neither an erasure nor the retention says so")
		case at.Emptied == 0 && !a.lower.IsZero() && !a.upper.IsZero() && a.lower.After(told.before) && !a.upper.Before(a.lower.Time):
			v.find(a.from, a.to, "emptied as if its time were over, between records of which it isn't")
		}
	}
	if want := told.records + at.Emptied; (count > want || count < want && !underWay) && len(v.gone.aged) > 0 {
		a := v.gone.aged
		v.find(a[0].from, a[len(a)-1].to, "%d records are emptied by their age; the retention says %d", count, want)
	}
}
