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

// ErrRefused says that the program must not start as it is told to; the text
// says what the operator can do.
var ErrRefused = errors.New("the audit trail")

// readTimeout is how long a start waits for a place that doesn't answer.
const readTimeout = 5 * time.Second

// ownPlace is where the checkpoints are that the database itself has kept.
const ownPlace = "the database's own checkpoint"

// keyPlace is the key that has signed, and can't any more.
const keyPlace = "the master secret"

// complaint is a checkpoint that was found somewhere, and that this database is
// not what it says.
type complaint struct {
	place  string
	claim  trail.Checkpoint
	note   []byte
	signed bool // by a key that the database has
	why    string
}

// check compares the log with the checkpoint that the database itself has kept,
// and with those of the places, before anything is signed or answered.
func (p *Publisher) check(ctx context.Context) error {
	keys, sealed := p.readKeys(ctx) // nobody else is there yet: it needs no turn
	if sealed != nil && !errors.Is(sealed, errSealed) {
		return fmt.Errorf("%w: %w", ErrRefused, sealed)
	}
	given, err := p.accepted(ctx, keys)
	if err != nil {
		return err
	}
	found, err := p.complaints(ctx, keys, given.sizes)
	if err == nil && sealed != nil {
		var c *complaint
		c, err = p.lostKey(ctx, keys, sealed)
		found = appendIf(found, c)
	}
	if err != nil {
		return err
	}
	if len(found) == 0 {
		if p.c.AcceptRollback != 0 {
			p.c.Log.Warn("there is no rollback to accept: leave --accept-rollback away")
		}
		return nil
	}
	worst := worstOf(found)
	if p.c.AcceptRollback != worst.claim.Size || worst.claim.Size == 0 {
		return worst.refusal()
	}
	return p.accept(ctx, keys, found, given)
}

// worstOf is the complaint of the largest checkpoint; nil if there is none.
func worstOf(found []complaint) (worst *complaint) {
	for i := range found {
		if worst == nil || found[i].claim.Size > worst.claim.Size {
			worst = &found[i]
		}
	}
	return worst
}

func (c *complaint) refusal() error {
	what := "put the right database back"
	switch {
	case c.place == keyPlace:
		what = "put the right secret-file back"
	case !c.signed && c.place != ownPlace:
		what = "if its log is not needed any more, move that checkpoint away"
	}
	if c.claim.Size == 0 {
		return fmt.Errorf("%w: %s: %s; %s", ErrRefused, c.place, c.why, what)
	}
	return fmt.Errorf("%w: %s: %s; %s, or accept the loss for good, on record, with --accept-rollback %d",
		ErrRefused, c.place, c.why, what, c.claim.Size)
}

// lostKey is the complaint that a key can't be opened. Where the master secret
// is lost, the log can only go on under another origin: what its checkpoints
// prove is proven still, but nobody can add to it.
func (p *Publisher) lostKey(ctx context.Context, keys *ring, why error) (*complaint, error) {
	c := &complaint{place: keyPlace, why: oneLine(why), signed: true}
	kept, err := store.LastCheckpoint(ctx, p.c.Store, keys.origin)
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.claim.Size, err = p.c.Store.LogSize(ctx)
	case err == nil:
		c.note = []byte(kept.Note)
		c.claim = trail.Checkpoint{Origin: kept.Origin, Head: trail.Head{Size: kept.Size}}
	}
	return c, err
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", ", ") }

func (p *Publisher) complaints(ctx context.Context, keys *ring, accepted map[string]int64) ([]complaint, error) {
	var found []complaint
	kept, err := store.LastCheckpoint(ctx, p.log, keys.origin)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if kept != nil {
		c, err := p.judgeKept(ctx, kept, keys)
		if err != nil {
			return nil, err
		}
		found = appendIf(found, c)
	}
	for _, r := range p.readPlaces(ctx) {
		c, err := p.look(ctx, &r, keys, accepted)
		if err != nil {
			return nil, err
		}
		found = appendIf(found, c)
	}
	return found, nil
}

// judgeKept judges the checkpoint that the database itself has. One that can't be
// read has the size that it is listed with, so that it can be given up, too.
func (p *Publisher) judgeKept(ctx context.Context, kept *store.Checkpoint, keys *ring) (*complaint, error) {
	c, err := p.judge(ctx, ownPlace, []byte(kept.Note), keys, nil)
	if err == nil && c == nil && !sameAs(kept) {
		c = &complaint{place: ownPlace, note: []byte(kept.Note), why: "it is not what it is listed as"}
	}
	if c != nil && c.claim.Size == 0 {
		c.claim.Size = kept.Size
	}
	return c, err
}

func appendIf(found []complaint, c *complaint) []complaint {
	if c == nil {
		return found
	}
	return append(found, *c)
}

// sameAs reports whether a kept checkpoint says what its columns say.
func sameAs(row *store.Checkpoint) bool {
	c, err := trail.Claimed([]byte(row.Note))
	return err == nil && c.Size == row.Size && c.Origin == row.Origin && bytes.Equal(c.Root[:], row.Root)
}

// reading is what a place answered.
type reading struct {
	*place
	raw []byte
	err error
}

// readPlaces asks all places at once: one that hangs makes nobody wait for longer
// than readTimeout.
func (p *Publisher) readPlaces(ctx context.Context) []reading {
	bounded, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	p.unread = nil // only who has the turn, or a start, is here
	var out []reading
	for _, pl := range p.places {
		if pl.read != nil {
			out = append(out, reading{place: pl})
		}
	}
	var all sync.WaitGroup
	for i := range out {
		all.Go(func() { out[i].raw, out[i].err = out[i].read(bounded) })
	}
	all.Wait()
	return out
}

// look compares what a place has. One that can't be asked is passed over: that
// checkpoints are taken from us and never shown again is no reason to stand
// still. So is one of somebody else's at an endpoint, or whoever answers for it
// could keep us from starting; the file is ours, and with it nothing else there
// tells that the data folder was made anew.
func (p *Publisher) look(ctx context.Context, pl *reading, keys *ring, accepted map[string]int64) (*complaint, error) {
	raw, err := pl.raw, pl.err
	if err != nil && pl.local {
		return nil, fmt.Errorf("%w: %s can't be read: %w", ErrRefused, pl.kind, err)
	}
	if err != nil {
		p.unread = append(p.unread, pl.kind+" "+pl.name)
		p.c.Log.Warn("what was published there can't be read, and is not compared", "place", pl.kind, "name", pl.name, "error", err)
		return nil, ctx.Err()
	}
	if len(raw) == 0 {
		return nil, nil
	}
	where := pl.kind + " " + pl.name
	if _, err := trail.Claimed(raw); err != nil {
		if pl.anything {
			p.c.Log.Warn("what is there is no checkpoint, and is not compared", "place", pl.kind, "name", pl.name)
			return nil, nil
		}
		return nil, fmt.Errorf("%w: %s is no checkpoint; name another with --checkpoint-file, or move it away", ErrRefused, where)
	}
	c, err := p.judge(ctx, where, raw, keys, accepted)
	switch {
	case c == nil || c.signed:
		return c, err
	case p.c.Demo:
		p.c.Log.Info("a checkpoint of another log is replaced by the demo's", "place", pl.kind, "name", pl.name)
		return nil, err
	case !pl.local:
		p.c.Log.Warn("what is there is not signed by a key of this log, and is not compared", "place", pl.kind, "name", pl.name, "origin", c.claim.Origin, "size", c.claim.Size)
		return nil, err
	}
	return c, err
}

// judge compares one note with the log; nil: it holds.
func (p *Publisher) judge(ctx context.Context, where string, raw []byte, keys *ring, accepted map[string]int64) (*complaint, error) {
	claim, err := trail.Claimed(raw)
	if err != nil {
		return &complaint{place: where, note: raw, why: "it can't be read"}, nil
	}
	if size, given := accepted[claim.Origin]; given && claim.Size <= size {
		return nil, nil
	}
	c := &complaint{place: where, claim: claim, note: raw}
	if _, err := trail.Open(raw, keys.verifies...); errors.Is(err, trail.ErrKey) {
		return nil, err
	} else if err != nil {
		c.why = fmt.Sprintf("it is of %d records of the log %q, and not signed by a key that this database has, so it is of another data folder or from after a backup", claim.Size, claim.Origin)
		return c, nil
	}
	c.signed = true
	head, err := p.log.Head(ctx) // after the place was read, which may still be written by another node
	if err != nil {
		return nil, err
	}
	if claim.Size > head.Size {
		c.why = fmt.Sprintf("it is of %d records, and this database has %d: it is older than what was published", claim.Size, head.Size)
		return c, nil
	}
	root, err := tlog.TreeHash(claim.Size, p.log.Tree(ctx))
	if store.Away(err) {
		return nil, err // it says nothing about the records
	}
	if err != nil || root != claim.Root {
		c.why = fmt.Sprintf("the first %d of the %d records in this database are not those that were published", claim.Size, head.Size)
		return c, ctx.Err()
	}
	return nil, nil
}
