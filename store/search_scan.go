package store

import (
	"context"
	"fmt"

	"github.com/pointgate/pointgate/store/trail"
)

// keysPerRead is how many batches are read at a time without their bodies.
const keysPerRead = 128

// heads unpacks the row's records without their bodies.
func (b *batch) heads() ([]Record, error) {
	const size = int64(len(trail.Entry{}))
	if n := int64(len(b.Entries)); n%size != 0 || n/size != b.Count {
		return nil, fmt.Errorf("%w: entries of the row of %d", errBatch, b.First)
	}
	out := make([]Record, b.Count)
	keys := unpacker{b: b.Keys}
	for i := range out {
		r := &out[i]
		r.Index, r.Entry = b.First+int64(i), trail.Entry(b.Entries[i*len(trail.Entry{}):])
		if keys.keys(r); keys.bad {
			return nil, fmt.Errorf("%w: index %d", errBatch, r.Index)
		}
	}
	return out, nil
}

// eachKeys calls fn with the records from index from before index to, oldest
// first, without bodies and nonces.
func (db *DB) eachKeys(ctx context.Context, from, to int64, fn func(*Record) error) error {
	for from < to {
		var rows []batch
		if err := db.Select(ctx, &rows, `SELECT first, count, entries, keys`+batchesFrom, from, to, keysPerRead); err != nil {
			return err
		}
		was := from
		for i := range rows {
			heads, err := rows[i].heads()
			if err != nil {
				return err
			}
			for j := range heads {
				r := &heads[j]
				if r.Index < from || r.Index >= to {
					continue
				}
				if r.Index > from {
					return fmt.Errorf("%w: the log has no index %d", errBatch, from)
				}
				if err := fn(r); err != nil {
					return err
				}
				from++
			}
		}
		if from == was {
			return nil
		}
	}
	return nil
}

// eachKeysDown is eachKeys, newest first, until fn says no.
func (db *DB) eachKeysDown(ctx context.Context, from, to int64, fn func(*Record) bool) error {
	for from < to {
		var rows []batch
		if err := db.Select(ctx, &rows, `SELECT first, count, entries, keys FROM batches WHERE first < ? ORDER BY first DESC LIMIT ?`, to, keysPerRead); err != nil {
			return err
		}
		was := to
		for i := range rows {
			heads, err := rows[i].heads()
			if err != nil {
				return err
			}
			for j := len(heads) - 1; j >= 0; j-- {
				r := &heads[j]
				if r.Index < from || r.Index >= to {
					continue
				}
				if r.Index != to-1 {
					return fmt.Errorf("%w: the log has no index %d", errBatch, to-1)
				}
				if !fn(r) {
					return nil
				}
				to--
			}
		}
		if to == was {
			return fmt.Errorf("%w: the log has no index %d", errBatch, to-1)
		}
	}
	return nil
}

// errEnough ends a reading of the log that has found what it was for.
var errEnough = fmt.Errorf("enough")

// scan finds up to n records of the filter in [from, to) in the log itself.
func (db *DB) scan(ctx context.Context, f *DecisionFilter, from, to int64, n int) (out []int64, err error) {
	add := func(r *Record) bool {
		if f.holds(r) {
			out = append(out, r.Index)
		}
		return len(out) < n
	}
	if !f.Tail {
		return out, db.eachKeysDown(ctx, from, to, add)
	}
	err = db.eachKeys(ctx, from, to, func(r *Record) error {
		if !add(r) {
			return errEnough
		}
		return nil
	})
	if err == errEnough {
		err = nil
	}
	return out, err
}
