package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// covering is the newest checkpoint with cosignatures that has the record, else
// the newest; where the record is younger than both, one is made.
func (p *Publisher) covering(ctx context.Context, index int64) (*Published, error) {
	if c, now := p.cosigned.Load(), p.current.Load(); c.covers(index) && c.Origin == now.Origin {
		return c, nil
	} else if now.covers(index) {
		return now, nil
	}
	c, err := p.makeFor(ctx, index)
	if err == nil && !c.covers(index) {
		err = fmt.Errorf("%w: index %d is not among the %d records of the newest checkpoint", store.ErrFork, index, c.Size)
	}
	return c, err
}

// Proof is the proof file of one record (C2SP tlog-proof). What doesn't verify
// is not handed out.
func (p *Publisher) Proof(ctx context.Context, r *store.Record) ([]byte, error) {
	c, err := p.covering(ctx, r.Index)
	if err != nil {
		return nil, err
	}
	hashes, err := tlog.ProveRecord(c.Size, r.Index, p.c.Store.Tree(ctx))
	if err != nil {
		return nil, err
	}
	if err := tlog.CheckRecord(hashes, c.Size, c.Root, r.Index, r.Entry.Leaf()); err != nil {
		return nil, fmt.Errorf("%w: index %d: %w", store.ErrFork, r.Index, err)
	}
	return (&trail.Proof{Index: r.Index, Hashes: hashes, Note: c.Note, Extra: r.Event()}).Bytes(), nil
}
