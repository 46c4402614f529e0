package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// notCompared is no session of the database.
const notCompared int64 = -1

// contradiction is a checkpoint at one of the places that the database, as it is
// now, does not go on from. It is a [store.ErrFork].
type contradiction struct{ complaint }

func (c *contradiction) Error() string { return c.place + ": " + c.why }

func (c *contradiction) Unwrap() error { return store.ErrFork }

// compareOnce compares the places again in each session of the database, before
// anything is signed in it: behind the same address may be another database now,
// and this node may not have seen what another has published. What none of our
// keys has signed says nothing about us. Only who has the turn calls it.
func (p *Publisher) compareOnce(ctx context.Context, keys *ring) error {
	if p.compared.Load() == keys.session {
		return nil
	}
	given, err := p.accepted(ctx, keys)
	if err != nil {
		return err
	}
	found, err := p.complaints(ctx, keys, given.sizes)
	if err != nil {
		return err
	}
	var ours []complaint
	for _, c := range found {
		if c.signed || c.place == ownPlace {
			ours = append(ours, c)
		}
	}
	if worst := worstOf(ours); worst != nil {
		return &contradiction{*worst}
	}
	p.compared.Store(keys.session)
	return nil
}

// servedPlace is where the checkpoint is that this node serves.
const servedPlace = "this server"

// recordFork records that the database contradicts what was published, once for
// each time that this begins. Where that fails, it is tried again with the next
// checkpoint, which fails in the same way.
func (p *Publisher) recordFork(ctx context.Context, err error) {
	switch {
	case err == nil:
		p.forked = false
		return
	case p.forked || !errors.Is(err, store.ErrFork):
		return
	}
	if rerr := p.appendFork(ctx, err); rerr != nil {
		p.c.Log.Error("that the database contradicts what was published is not on record yet", "error", rerr)
		return
	}
	p.forked = true
}

func (p *Publisher) appendFork(ctx context.Context, why error) error {
	size, err := p.c.Store.LogSize(ctx)
	if err != nil {
		return err
	}
	what := gate.LogForked{Size: size}
	origin := ""
	if c := p.current.Load(); c != nil {
		origin, what.PublishedSize = c.Origin, c.Size
		what.Published = append(what.Published, gate.PublishedCheckpoint{Place: servedPlace, Why: oneLine(why), Signed: true, Note: string(c.Note)})
	}
	var c *contradiction
	if errors.As(why, &c) {
		origin, what.PublishedSize = c.claim.Origin, max(what.PublishedSize, c.claim.Size)
		what.Published = append(what.Published, gate.PublishedCheckpoint{Place: c.place, Why: c.why, Signed: c.signed, Note: string(c.note)})
	}
	r := p.c.Record(gate.System(p.c.Tenant, what, gate.Party{Type: "log", ID: origin}))
	if err := p.c.Store.Append(ctx, r); err != nil {
		return fmt.Errorf("trail.fork: %w", err)
	}
	return nil
}
