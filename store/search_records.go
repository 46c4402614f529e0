package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/pointgate/pointgate/store/trail"
)

// recordsAt reads single records, in the order of their indexes in at; those of
// one batch are best next to each other.
func (db *DB) recordsAt(ctx context.Context, at []int64) ([]Record, error) {
	out := make([]Record, 0, len(at))
	for len(at) > 0 {
		var b batch
		if err := db.Get(ctx, &b, `SELECT first, count, entries, keys, bodies FROM batches WHERE first <= ? ORDER BY first DESC LIMIT 1`, at[0]); err != nil {
			return nil, err
		}
		n := 0
		for n < len(at) && at[n] >= b.First && at[n] < b.First+b.Count {
			n++
		}
		if n == 0 {
			return nil, fmt.Errorf("%w: the log has no index %d", errBatch, at[0])
		}
		var err error
		if out, err = b.pick(out, at[:n]); err != nil {
			return nil, err
		}
		at = at[n:]
	}
	return out, nil
}

// pick unpacks some records of the row and none of the others.
func (b *batch) pick(out []Record, at []int64) ([]Record, error) {
	wanted := make(map[int64]Record, len(at))
	for _, i := range at {
		wanted[i] = Record{}
	}
	keys, bodies := unpacker{b: b.Keys}, unpacker{b: b.Bodies}
	for i := b.First; i <= max(at[0], at[len(at)-1]); i++ {
		if _, is := wanted[i]; !is {
			keys.skipKeys()
			bodies.skipBody()
			continue
		}
		r := Record{Index: i}
		keys.keys(&r)
		bodies.body(&r)
		low := (i - b.First) * int64(len(trail.Entry{}))
		if keys.bad || bodies.bad || r.Erased != (len(r.Body) == 0) || int64(len(b.Entries)) < low+int64(len(trail.Entry{})) {
			return nil, fmt.Errorf("%w: index %d", errBatch, i)
		}
		r.Entry = trail.Entry(b.Entries[low:])
		r.Body = bytes.Clone(r.Body) // not the whole row's memory
		wanted[i] = r
	}
	for _, i := range at {
		out = append(out, wanted[i])
	}
	return out, nil
}

// textKeys is how many texts a record has among its keys.
const textKeys = 13

func (u *unpacker) skipKeys() {
	u.bytes(1)
	_, n := binary.Varint(u.b)
	u.skip(n)
	u.uvarint()
	for range textKeys {
		u.bytes(u.uvarint())
	}
}

func (u *unpacker) skipBody() {
	if size := u.uvarint(); size > 0 {
		u.bytes(uint64(len(trail.Nonce{})))
		u.bytes(size)
	}
}

// headsAt calls fn with single records without their bodies; at ascends.
func (db *DB) headsAt(ctx context.Context, at []int64, fn func(*Record)) error {
	for len(at) > 0 {
		var b batch
		if err := db.Get(ctx, &b, `SELECT first, count, entries, keys FROM batches WHERE first <= ? ORDER BY first DESC LIMIT 1`, at[0]); err != nil {
			return logError{err}
		}
		heads, err := b.heads()
		if err == nil && at[0] >= b.First+b.Count {
			err = fmt.Errorf("%w: the log has no index %d", errBatch, at[0])
		}
		if err != nil {
			return logError{err}
		}
		for len(at) > 0 && at[0] < b.First+b.Count {
			fn(&heads[at[0]-b.First])
			at = at[1:]
		}
	}
	return nil
}
