package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// acceptedMark holds, a line each, the origins that were given up and the size
// up to which checkpoints of them are no news.
const acceptedMark = "log_accepted"

func (p *Publisher) accepted(ctx context.Context) (map[string]int64, error) {
	text, err := p.c.Store.Mark(ctx, acceptedMark)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	out := map[string]int64{}
	for line := range strings.Lines(text) {
		origin, size, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, perr := strconv.ParseInt(size, 10, 64)
		if perr != nil {
			return nil, fmt.Errorf("the mark %s: %w", acceptedMark, perr)
		}
		out[origin] = n
	}
	return out, err
}

func writeAccepted(accepted map[string]int64) string {
	var b strings.Builder
	for _, origin := range slices.Sorted(maps.Keys(accepted)) {
		fmt.Fprintf(&b, "%s %d\n", origin, accepted[origin])
	}
	return b.String()
}

// accept goes on from what there is, as the operator said. The log gets another
// origin and another key; the old keys sign no more. One record holds all of it.
func (p *Publisher) accept(ctx context.Context, keys *ring, found []complaint, size int64) error {
	head, err := p.c.Store.Head(ctx)
	if err != nil {
		return err
	}
	if err := p.goesOn(ctx, nil, trail.Checkpoint{Head: head}); err != nil {
		return fmt.Errorf("%w: its tree is not that of its records: what is in this database can't be gone on from; put the right one back: %w", ErrRefused, err)
	}
	accepted, err := p.accepted(ctx)
	if err != nil {
		return err
	}
	if accepted == nil {
		accepted = map[string]int64{}
	}
	what := gate.LogRolledBack{PublishedSize: size, Previous: keys.origin}
	for _, c := range found {
		if c.claim.Origin != "" {
			accepted[c.claim.Origin] = max(accepted[c.claim.Origin], c.claim.Size)
		}
		what.Published = append(what.Published, gate.PublishedCheckpoint{Place: c.place, Why: c.why, Signed: c.signed, Note: string(c.note)})
	}
	key, err := trail.NewKey(nextOrigin(keys.origin, accepted))
	if err != nil {
		return err
	}
	err = p.c.Store.Write(ctx, func(tx *store.Tx) error {
		size, err := tx.LogSize(ctx)
		if err != nil {
			return err
		}
		what.Size = size
		for name, value := range map[string]string{originMark: key.Name(), acceptedMark: writeAccepted(accepted)} {
			if err := tx.SetMark(ctx, name, value); err != nil {
				return err
			}
		}
		if err := tx.DropCheckpoints(ctx, size); err != nil {
			return err
		}
		if err := tx.RetireLogKeys(ctx, tx.Now()); err != nil {
			return err
		}
		tx.Record(p.c.Record(gate.System(p.c.Tenant, what, gate.Party{Type: "log", ID: key.Name()})))
		return p.insertKey(ctx, tx, key, gate.LogKeyCreated{Previous: keys.verifies})
	})
	if err == nil {
		p.c.Log.Warn("a rollback was accepted, and recorded", "published", size, "records", what.Size, "origin", key.Name())
	}
	return err
}

// nextOrigin is the log's name after a rollback: its first one with a number
// that none before has had.
func nextOrigin(origin string, accepted map[string]int64) string {
	base, n := splitOrigin(origin)
	for other := range accepted {
		if b, m := splitOrigin(other); b == base {
			n = max(n, m)
		}
	}
	return fmt.Sprintf("%s/%d", base, n+1)
}

// splitOrigin: host/audit is the first, host/audit/2 the second.
func splitOrigin(origin string) (base string, n int) {
	i := strings.LastIndexByte(origin, '/')
	if n, err := strconv.Atoi(origin[i+1:]); err == nil && n > 1 && i > 0 {
		return origin[:i], n
	}
	return origin, 1
}
