package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// indexView is the index as it was at one moment.
type indexView struct {
	db       *DB
	tx       *sqlx.Tx
	ctx      context.Context
	position int64 // it has the indexes below
	keys     keyMaker
}

// look gives fn the index. There may be none: its position is 0 then, and fn is
// told so. An index that can't be read is the same as none.
func (x *index) look(ctx context.Context, fn func(v *indexView) error) error {
	err := x.view(ctx, fn)
	var log logError
	if err == nil || ctx.Err() != nil || errors.As(err, &log) || errors.Is(err, ErrUnavailable) {
		return err
	}
	x.doubt(err)
	return fn(&indexView{ctx: ctx})
}

func (x *index) view(ctx context.Context, fn func(v *indexView) error) error {
	x.use.RLock()
	defer x.use.RUnlock()
	if x.read == nil {
		return fn(&indexView{ctx: ctx})
	}
	var o *sql.TxOptions
	if x.path == "" {
		o = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := x.read.BeginTxx(ctx, o)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var m indexMeta
	if err := tx.GetContext(ctx, &m, selectIndexMeta); err != nil {
		return fmt.Errorf("%w: %w", errIndex, err)
	}
	if m.Version != indexVersion {
		return fmt.Errorf("%w: it has version %d", errIndex, m.Version)
	}
	return fn(&indexView{db: x.db, tx: tx, ctx: ctx, position: m.Position, keys: keyMaker{salt: m.Salt}})
}

func (v *indexView) read(dest any, query string, args ...any) error {
	return v.tx.SelectContext(v.ctx, dest, v.tx.Rebind(query), args...)
}

// packedSet is a set as the index keeps it; the zero one is empty.
type packedSet struct {
	b []byte
	n int
}

// bitmap is the set unpacked; nil if it is empty.
func (p packedSet) bitmap() *bitmap {
	if p.n == 0 {
		return nil
	}
	m := new(bitmap)
	m.readLows(p.b, p.n)
	return m
}

// sets reads the sets of keys in chunks: of each chunk one for each key.
func (v *indexView) sets(chunks []int64, keys []indexKey) (map[int64][]packedSet, error) {
	rows := make([]int64, 0, len(chunks)*len(keys))
	for _, c := range chunks {
		for _, k := range keys {
			rows = append(rows, slotRow(c, k.slot()))
		}
	}
	slots, err := readSlots(v.ctx, v.tx, rows)
	if err != nil {
		return nil, err
	}
	out := make(map[int64][]packedSet, len(chunks))
	for _, c := range chunks {
		sets := make([]packedSet, len(keys))
		for i, k := range keys {
			if sets[i], err = findSet(slots[slotRow(c, k.slot())], k); err != nil {
				return nil, err
			}
		}
		out[c] = sets
	}
	return out, nil
}

func findSet(slot []byte, k indexKey) (packedSet, error) {
	s := slotReader{b: slot}
	for s.next() {
		if s.rest == k.rest() {
			return packedSet{s.set, s.n}, nil
		}
	}
	if s.bad {
		return packedSet{}, errIndex
	}
	return packedSet{}, nil
}

// chunks are those that can hold what the filter wants between from and to,
// ascending, and of each whether all of it is in the filter's time and prefix.
func (v *indexView) chunks(f *DecisionFilter, from, to int64) (list []int64, within map[int64]bool, err error) {
	first, last := from>>chunkBits, (to-1)>>chunkBits
	if f.From.IsZero() && f.To.IsZero() && f.Prefix == "" {
		for c := first; c <= last; c++ {
			list = append(list, c)
		}
		return list, nil, nil
	}
	var rows []chunkRow
	if err := v.read(&rows, `SELECT chunk, from_at, to_at, lo_id, hi_id FROM search_chunks WHERE chunk >= ? AND chunk <= ? ORDER BY chunk`, first, last); err != nil {
		return nil, nil, err
	}
	if int64(len(rows)) != last-first+1 {
		return nil, nil, errIndex
	}
	within = map[int64]bool{}
	for _, r := range rows {
		meets, all := f.meets(&span{r.From, r.To, string(r.Lo), string(r.Hi)})
		if meets {
			list = append(list, r.Chunk)
			within[r.Chunk] = all
		}
	}
	return list, within, nil
}

// spans are those of a chunk.
func (v *indexView) spans(chunk int64, ids bool) ([]span, error) {
	var rows []chunkRow
	if err := v.read(&rows, `SELECT chunk, times, ids FROM search_chunks WHERE chunk = ?`, chunk); err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("%w: %w", errIndex, err)
	}
	spans, err := rows[0].times()
	if err == nil && ids {
		err = rows[0].ids(spans)
	}
	return spans, err
}
