package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

const (
	publishEvery = time.Second
	keepEvery    = time.Minute // where the log has not grown
	upkeepEvery  = time.Minute
	leaseName    = "checkpoints"
	leaseFor     = 10 * time.Second
	stepTimeout  = 10 * time.Second
	finalTimeout = 2 * time.Second
	thinAtOnce   = 500
)

// anySize is asked for by those who want a new checkpoint, whatever it covers.
const anySize int64 = -1

// Run publishes until ctx ends. At the end it makes a last checkpoint, so that
// what was recorded until then is covered where this node itself writes.
func (p *Publisher) Run(ctx context.Context) {
	if p == nil {
		return
	}
	var workers sync.WaitGroup
	for _, pl := range p.places {
		workers.Go(func() { p.deliver(ctx, pl) })
	}
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		p.step(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	workers.Wait()
	final, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalTimeout)
	defer cancel()
	p.step(final)
	for _, pl := range p.places {
		if pl.local {
			pl.took(p.current.Load(), pl.put(final, p.current.Load()))
		}
	}
	_ = p.c.Store.ReleaseLease(final, leaseName, p.c.Holder) // else it runs out by itself
}

// step is one second's work.
func (p *Publisher) step(parent context.Context) {
	ctx, cancel := context.WithTimeout(parent, stepTimeout)
	defer cancel()
	leads, err := p.c.Store.Lease(ctx, leaseName, p.c.Holder, leaseFor)
	if !p.leads.Swap(leads) && leads {
		p.compared.Store(notCompared) // who led until now may have published what the database does not have
	}
	switch {
	case err != nil:
	case leads:
		_, err = p.makeFor(ctx, anySize)
	default:
		err = p.follow(ctx)
	}
	if now := p.c.Now(); err == nil && leads && now.Sub(p.upkeep) >= upkeepEvery {
		p.upkeep = now
		if err := p.tidy(ctx); err != nil {
			p.c.Log.Warn("old checkpoints and keys are tidied later", "error", err)
		}
	}
	if parent.Err() == nil { // else it was told to stop, and may say what it likes
		p.tell(err)
		p.recordFork(ctx, err)
	}
}

// tell logs what is new: that it fails, and that it works again.
func (p *Publisher) tell(err error) {
	var now *string
	if err != nil {
		text := err.Error()
		now = &text
	}
	switch was := p.fault.Swap(now); {
	case err != nil && (was == nil || *was != *now):
		p.c.Log.Error("there is no new checkpoint", "error", err)
	case err == nil && was != nil:
		p.c.Log.Info("checkpoints are made again")
	}
}

func (p *Publisher) tidy(ctx context.Context) error {
	if err := p.destroyKeys(ctx); err != nil {
		return err
	}
	_, err := p.c.Store.ThinCheckpoints(ctx, thinAtOnce)
	return err
}

// begin takes the turn.
func (p *Publisher) begin(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Publisher) end() { <-p.turn }

// makeFor makes a checkpoint of the log as it is now, unless one that covers the
// index was made while it waited. It is called by any node: two can't contradict
// each other, because the store keeps only what goes on from what it has.
func (p *Publisher) makeFor(ctx context.Context, index int64) (*Published, error) {
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	defer p.end()
	if c := p.current.Load(); index != anySize && c.covers(index) {
		return c, nil
	}
	if err := p.c.Store.Ping(ctx); err != nil {
		return nil, err
	}
	keys, err := p.readKeys(ctx)
	if err != nil {
		return nil, err
	}
	keys.session = p.c.Store.Session()
	if err := p.compareOnce(ctx, keys); err != nil {
		return nil, err
	}
	was, err := p.last(ctx, keys)
	if err != nil {
		return nil, err
	}
	head, err := p.c.Store.Head(ctx) // after what another node may have kept just now, which it then covers
	if err != nil {
		return nil, err
	}
	next := trail.Checkpoint{Origin: keys.origin, Head: head}
	if err := p.goesOn(ctx, was, next); err != nil {
		return nil, err
	}
	return p.sign(ctx, was, next, keys)
}

// last is the largest checkpoint that was kept or published; nil if there is
// none. It is [store.ErrFork] if what the database has kept and what this node
// has shown are not of one history: after a failover to a replica that lagged,
// another node may have gone on from less than was published.
func (p *Publisher) last(ctx context.Context, keys *ring) (*Published, error) {
	shown := p.current.Load()
	if shown != nil && shown.Origin != keys.origin {
		shown = nil
	}
	row, err := store.LastCheckpoint(ctx, p.c.Store, keys.origin)
	if errors.Is(err, store.ErrNotFound) {
		return shown, p.stillHas(ctx, shown)
	}
	if err != nil {
		return nil, err
	}
	kept, err := fromRow(row, keys.verifies)
	switch {
	case err != nil:
		return nil, err
	case shown == nil || shown.Checkpoint == kept.Checkpoint:
		return kept, nil
	case shown.Size <= kept.Size:
		return kept, p.goesOn(ctx, shown, kept.Checkpoint)
	}
	if err := p.stillHas(ctx, shown); err != nil {
		return nil, err
	}
	return shown, p.goesOn(ctx, kept, shown.Checkpoint)
}

// stillHas proves that the log goes on from a checkpoint that the database has
// not kept, or not any more.
func (p *Publisher) stillHas(ctx context.Context, shown *Published) error {
	if shown == nil {
		return nil
	}
	head, err := p.c.Store.Head(ctx)
	if err != nil {
		return err
	}
	return p.goesOn(ctx, shown, trail.Checkpoint{Origin: shown.Origin, Head: head})
}

// fromRow is a kept checkpoint, verified.
func fromRow(row *store.Checkpoint, vkeys []string) (*Published, error) {
	s, err := trail.Open([]byte(row.Note), vkeys...)
	if err != nil {
		return nil, err
	}
	if s.Size != row.Size || !bytes.Equal(s.Root[:], row.Root) || s.Origin != row.Origin {
		return nil, fmt.Errorf("%w: the one kept at %s is not what it is listed as", trail.ErrCheckpoint, row.At.Format(time.RFC3339Nano))
	}
	return &Published{Signed: *s, kept: row.At, lines: witnessLines(s)}, nil
}

// goesOn proves, out of the stored tree, that the next checkpoint contains the
// one before. Nothing is signed that isn't proven: a database that was put back
// or changed under us would make us sign two histories.
func (p *Publisher) goesOn(ctx context.Context, was *Published, next trail.Checkpoint) error {
	tree := p.c.Store.Tree(ctx)
	switch {
	case was == nil || was.Size == 0:
		root, err := tlog.TreeHash(next.Size, tree)
		if err == nil && root != next.Root {
			err = store.ErrFork
		}
		return err
	case next.Size < was.Size:
		return fmt.Errorf("%w: it has %d records, and had %d", store.ErrFork, next.Size, was.Size)
	case next.Size == was.Size && next.Root != was.Root:
		return fmt.Errorf("%w: two trees of %d records", store.ErrFork, next.Size)
	case next.Size == was.Size:
		return nil
	}
	proof, err := tlog.ProveTree(next.Size, was.Size, tree)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, next.Size, next.Root, was.Size, was.Root); err != nil {
		return fmt.Errorf("%w: its %d records do not go on from the first %d", store.ErrFork, next.Size, was.Size)
	}
	return nil
}

// sign signs, keeps and publishes, in this order.
func (p *Publisher) sign(ctx context.Context, was *Published, next trail.Checkpoint, keys *ring) (*Published, error) {
	now := store.At(p.c.Now())
	s, err := next.Sign(now.Time, keys.sign...)
	if err != nil {
		return nil, err
	}
	c := &Published{Signed: *s}
	if was != nil && was.Checkpoint == next {
		c.kept, c.lines = was.kept, was.lines
		c.Note = append(c.Note, was.lines...)
	}
	if c.kept.IsZero() || now.Sub(c.kept.Time) >= keepEvery || now.Before(c.kept.Time) {
		c.kept = now
		row := c.row()
		err := p.c.Store.Write(ctx, func(tx *store.Tx) error {
			if p.c.Store.Session() != keys.session {
				return fmt.Errorf("%w: the database is not the one that was compared with what was published", store.ErrUnavailable)
			}
			return tx.KeepCheckpoint(ctx, row)
		})
		c.kept = row.At
		if errors.Is(err, store.ErrConflict) {
			return p.takeOver(ctx, keys)
		}
		if err != nil {
			return nil, err
		}
	}
	p.publish(c)
	return p.current.Load(), nil
}

func (c *Published) row() *store.Checkpoint {
	return &store.Checkpoint{
		At: c.kept, Origin: c.Origin, Size: c.Size, Root: c.Root[:], Note: string(c.Note),
		Witnesses: int64(bytes.Count(c.lines, []byte("\n"))),
	}
}

// covers reports whether the record of this index is in the tree.
func (c *Published) covers(index int64) bool { return c != nil && c.Size > index }

// publish makes a kept checkpoint visible. Only who has the turn calls it.
func (p *Publisher) publish(c *Published) {
	if was := p.current.Load(); was != nil && was.Origin == c.Origin && was.Size > c.Size {
		return // what is served never goes down
	}
	p.current.Store(c)
	for _, pl := range p.places {
		pl.rouse()
	}
}

// follow takes over what the node that leads has kept.
func (p *Publisher) follow(ctx context.Context) error {
	if err := p.begin(ctx); err != nil {
		return err
	}
	defer p.end()
	keys, err := p.readKeys(ctx)
	if err != nil {
		return err
	}
	_, err = p.takeOver(ctx, keys)
	return err
}

func (p *Publisher) takeOver(ctx context.Context, keys *ring) (*Published, error) {
	was := p.current.Load()
	c, err := p.last(ctx, keys)
	if err != nil || c == nil {
		return was, err
	}
	if was == nil || was.Origin != c.Origin || c.Size > was.Size || c.Size == was.Size && (c.At.After(was.At) || !bytes.Equal(c.lines, was.lines)) {
		p.publish(c)
	}
	return p.current.Load(), p.recallCosigned(ctx, keys)
}

// recall begins with what was kept before this start.
func (p *Publisher) recall(ctx context.Context) error { return p.follow(ctx) }

func (p *Publisher) recallCosigned(ctx context.Context, keys *ring) error {
	if len(p.c.Witnesses) == 0 {
		return nil
	}
	row, err := p.c.Store.LastCosigned(ctx, keys.origin)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := fromRow(row, keys.verifies)
	if err != nil {
		return err
	}
	if err := p.fits(ctx, c); err != nil {
		return err
	}
	p.cosigned.Store(c)
	return nil
}

// fits proves that a kept checkpoint and the one that is served are of one
// history, whichever is the older.
func (p *Publisher) fits(ctx context.Context, c *Published) error {
	older, newer := c, p.current.Load()
	if newer == nil || newer.Origin != c.Origin || newer.Checkpoint == c.Checkpoint {
		return nil
	}
	if older.Size > newer.Size {
		older, newer = newer, older
	}
	return p.goesOn(ctx, older, newer.Checkpoint)
}

// witnessLines are the signature lines of others than the log.
func witnessLines(s *trail.Signed) (lines []byte) {
	_, sigs, _ := strings.Cut(string(s.Note), "\n\n")
	for line := range strings.Lines(sigs) {
		if !strings.HasPrefix(line, "— "+s.Origin+" ") {
			lines = append(lines, line...)
		}
	}
	return lines
}
