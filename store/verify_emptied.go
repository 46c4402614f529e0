package store

import (
	"context"
	"encoding/json"
)

// emptied keeps account of the records without content: each must be one that
// an erasure or the retention took, and the log must say so.
type emptied struct {
	by       map[string]Finding // the first of each decision that is named
	allowed  map[string]bool    // decisions in the log that allowed an erasure
	aged     []Finding          // ranges that name none
	retained int64              // records below it were old, by the log's own word
}

// see takes one record into account.
func (e *emptied) see(r *Record) {
	switch {
	case r.Action == "erasure.create" && r.Allow:
		e.allowed[r.ID] = true
	case r.Action == "trail.retain" && !r.Erased:
		var said struct{ Custom struct{ To int64 } }
		if json.Unmarshal(r.Body, &said) == nil {
			e.retained = max(e.retained, said.Custom.To)
		}
	}
	if !r.Erased {
		return
	}
	last := len(e.aged) - 1
	switch _, known := e.by[r.ErasedBy]; {
	case r.ErasedBy != "" && !known:
		e.by[r.ErasedBy] = Finding{From: r.Index, To: r.Index}
	case r.ErasedBy != "":
	case last >= 0 && e.aged[last].To == r.Index-1:
		e.aged[last].To = r.Index
	case last < maxFindings:
		e.aged = append(e.aged, Finding{From: r.Index, To: r.Index})
	}
}

// accountForEmptied finds those that nothing accounts for. A pass of the retention that has
// not come to its end has emptied records that the log doesn't tell of yet.
func (v *verifier) accountForEmptied(ctx context.Context) error {
	at, err := v.db.Retention(ctx)
	if err != nil {
		return err
	}
	for id, f := range v.gone.by {
		if !v.gone.allowed[id] {
			v.find(f.From, f.To, "emptied by the decision %q, which the log does not have", id)
		}
	}
	old := max(v.gone.retained, at.Next, at.Reached)
	for _, f := range v.gone.aged {
		if f.To >= old {
			v.find(max(f.From, old), f.To, "emptied, and neither an erasure nor the retention says so")
		}
	}
	return nil
}
