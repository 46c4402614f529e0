package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/trail"
)

// acceptedMark holds, a line each, the index from which on the record of a
// rollback is. It only says where to look: what was given up is what the records
// say, so that nobody gives up anything by changing a row that no tree holds.
const acceptedMark = "log_accepted"

// maxGroupRecords bounds how many records of the same group of writes may stand
// before that of the rollback.
const maxGroupRecords = 1 << 16

// acceptances are the rollbacks that are on record.
type acceptances struct {
	at    []int64          // the indexes of their records
	sizes map[string]int64 // by origin: a checkpoint of at most this size is no news
}

// accepted reads what was given up. The log as it is called now never is: who
// gave something up has another origin since.
func (p *Publisher) accepted(ctx context.Context, keys *ring) (*acceptances, error) {
	out := &acceptances{sizes: map[string]int64{}}
	text, err := store.Mark(ctx, p.log, acceptedMark)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(text) {
		r, err := p.rollbackAt(ctx, strings.TrimSuffix(line, "\n"))
		if store.Away(err) {
			return nil, err
		}
		if err != nil {
			p.c.Log.Warn("a rollback that is said to be accepted is not on record, and does not count", "mark", acceptedMark, "line", line, "error", err)
			continue
		}
		out.at = append(out.at, r.Index)
		for _, claim := range givenUp(r.Body) {
			out.sizes[claim.Origin] = max(out.sizes[claim.Origin], claim.Size)
		}
	}
	delete(out.sizes, keys.origin)
	return out, ctx.Err()
}

// rollbackAt is the first record of a rollback from an index on, if it is what
// the tree holds.
func (p *Publisher) rollbackAt(ctx context.Context, index string) (r *store.Record, err error) {
	from, err := strconv.ParseInt(index, 10, 64)
	if err != nil {
		return nil, err
	}
	head, err := p.log.Head(ctx)
	if err != nil {
		return nil, err
	}
	errFound := errors.New("found")
	err = p.log.Records(ctx, max(from, 0), min(head.Size, from+maxGroupRecords), func(each *store.Record) error {
		if givenUp(each.Body) == nil {
			return nil
		}
		r = each
		return errFound
	})
	if r == nil {
		return nil, errors.Join(store.ErrNotFound, err)
	}
	if trail.Commit(r.Nonce, r.Body).At(r.Index) != r.Entry {
		return nil, fmt.Errorf("%w: index %d is not the record that was logged", store.ErrFork, r.Index)
	}
	proof, err := tlog.ProveRecord(head.Size, r.Index, p.log.Tree(ctx))
	if err != nil {
		return nil, err
	}
	return r, tlog.CheckRecord(proof, head.Size, head.Root, r.Index, r.Entry.Leaf())
}

// givenUp are the checkpoints in the body of a rollback's record; nil if it is of
// something else.
func givenUp(body []byte) []trail.Checkpoint {
	action, code, _ := gate.Describe(gate.LogRolledBack{})
	if !bytes.Contains(body, []byte(action)) { // spares the parsing of all others
		return nil
	}
	var e struct {
		Path   string `json:"path"`
		Custom struct {
			gate.LogRolledBack
			Code string `json:"code"`
		} `json:"custom"`
	}
	if json.Unmarshal(body, &e) != nil || e.Path != "pointgate/"+action || e.Custom.Code != code {
		return nil
	}
	out := []trail.Checkpoint{}
	for _, c := range e.Custom.Published {
		if claim, err := trail.Claimed([]byte(c.Note)); err == nil {
			out = append(out, claim)
		}
	}
	return out
}

// accept goes on from what there is, as the operator said. The log gets another
// origin and another key; the old keys sign no more. One record holds all of it.
func (p *Publisher) accept(ctx context.Context, keys *ring, found []complaint, given *acceptances) error {
	head, err := p.c.Store.Head(ctx)
	if err != nil {
		return err
	}
	if err := p.goesOn(ctx, nil, trail.Checkpoint{Head: head}); err != nil {
		return fmt.Errorf("%w: its tree is not that of its records: what is in this database can't be gone on from; put the right one back: %w", ErrRefused, err)
	}
	what := gate.LogRolledBack{PublishedSize: worstOf(found).claim.Size, Previous: keys.origin}
	used := slices.Collect(maps.Keys(given.sizes))
	for _, vkey := range keys.verifies {
		used = append(used, originOf(&store.LogKey{Verifier: vkey}))
	}
	for _, c := range found {
		used = append(used, c.claim.Origin)
		what.Published = append(what.Published, gate.PublishedCheckpoint{Place: c.place, Why: c.why, Signed: c.signed, Note: string(c.note)})
	}
	key, err := trail.NewKey(nextOrigin(keys.origin, used...))
	if err != nil {
		return err
	}
	err = p.c.Store.Write(ctx, func(tx *store.Tx) error {
		if now, _, err := readRing(ctx, tx); err != nil || now.origin != keys.origin {
			return errors.Join(store.ErrConflict, err) // another node has accepted it
		}
		size, err := tx.LogSize(ctx)
		if err != nil {
			return err
		}
		what.Size = size
		for name, value := range map[string]string{originMark: key.Name(), acceptedMark: given.with(size)} {
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
		p.c.Log.Warn("a rollback was accepted, and recorded", "published", what.PublishedSize, "records", what.Size, "origin", key.Name())
	}
	return err
}

// with is the mark's text with one more.
func (a *acceptances) with(index int64) (text string) {
	all := append(slices.Clone(a.at), index)
	slices.Sort(all)
	for _, index := range slices.Compact(all) {
		text += fmt.Sprintf("%d\n", index)
	}
	return text
}

// nextOrigin is the log's name after a rollback: its first one with a number
// that none before has had.
func nextOrigin(origin string, used ...string) string {
	base, n := splitOrigin(origin)
	for _, other := range used {
		if b, m := splitOrigin(other); b == base {
			n = max(n, m)
		}
	}
	return fmt.Sprintf("%s/%d", base, n+1)
}

// splitOrigin: host/audit is the first, host/audit/2 the second.
func splitOrigin(origin string) (base string, n int) {
	i := strings.LastIndexByte(origin, '/')
	if n, err := strconv.Atoi(origin[i+1:]); err == nil && n > 1 && n < 1<<30 && i > 0 {
		return origin[:i], n
	}
	return origin, 1
}
