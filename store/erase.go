package store

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/pointgate/pointgate/store/trail"
)

// Emptying says which records of the log lose their content. Their entries
// stay, and with them the tree, its checkpoints and its proofs.
type Emptying struct {
	From, To int64 // indexes; To is exclusive
	// By is the decision that wants it; empty where the time of the records is over.
	By string
	// May says whether the keys or the bodies of a batch can hold such a record;
	// nil: they can. It spares unpacking where they can't.
	May func(row []byte) bool
	// Gone says whether a record is one of them. It is asked twice about the same
	// record, and also about those that are emptied already and stay as they are.
	Gone func(*Record) bool
	// Look is how many batches are looked at, at most; 0 means 1024.
	Look int
}

// The bounds of one step: what others may have to wait for.
const (
	mostLooked    = 1024    // batches that are read
	mostRewritten = 64      // batches that are written
	mostBytes     = 4 << 20 // bytes that are read again and written
)

// Empty takes one step: it looks at batches from e.From on, empties the records
// for which e.Gone holds, and calls then in the same write with the index where
// to go on and the number of records that were emptied now. Of an emptied record
// body, nonce, and what names a person or leads to one are gone. A step that was
// interrupted can be taken again.
func (db *DB) Empty(ctx context.Context, e Emptying, then func(tx *Tx, next, emptied int64) error) (next, emptied int64, err error) {
	rows, next, _, err := db.toEmpty(ctx, &e)
	if err != nil {
		return e.From, 0, err
	}
	err = db.Write(ctx, func(tx *Tx) error {
		emptied = 0
		for _, first := range rows {
			n, err := tx.emptyBatch(ctx, first, &e)
			if err != nil {
				return err
			}
			emptied += n
		}
		return then(tx, next, emptied)
	})
	if err != nil {
		return e.From, 0, err
	}
	return next, emptied, nil
}

// CountEmpty looks at what the next step of [DB.Empty] would do, and changes
// nothing: where it would go on, and how many records it would empty.
func (db *DB) CountEmpty(ctx context.Context, e Emptying) (next, records int64, err error) {
	_, next, records, err = db.toEmpty(ctx, &e)
	return next, records, err
}

// toEmpty finds the batches of the next step and the number of records, outside
// of the write: they don't change but by another step.
func (db *DB) toEmpty(ctx context.Context, e *Emptying) (rows []int64, next, records int64, err error) {
	look, size := e.Look, 0
	if look == 0 {
		look = mostLooked
	}
	for next = e.From; next < e.To && look > 0; {
		var some []batch
		if err := db.Select(ctx, &some, `SELECT first, count, entries, keys, bodies`+batchesFrom, next, e.To, min(look, batchesPerRead)); err != nil {
			return nil, 0, 0, err
		}
		if len(some) == 0 {
			return nil, 0, 0, fmt.Errorf("%w: the log has no index %d", errBatch, next)
		}
		for i := range some {
			b := &some[i]
			n, err := b.holds(e)
			if err != nil {
				return nil, 0, 0, err
			}
			if records += n; n > 0 {
				rows = append(rows, b.First)
				size += len(b.Keys) + len(b.Bodies)
			}
			look--
			next = min(b.First+b.Count, e.To)
			if len(rows) == mostRewritten || size >= mostBytes {
				return rows, next, records, nil
			}
		}
	}
	return rows, next, records, nil
}

// empties reports whether the record is to be emptied.
func (e *Emptying) empties(r *Record) bool {
	return r.Index >= e.From && r.Index < e.To && e.Gone(r) && !r.Erased
}

// holds is how many records the batch has that are to be emptied.
func (b *batch) holds(e *Emptying) (n int64, err error) {
	if e.May != nil && !e.May(b.Keys) && !e.May(b.Bodies) {
		return 0, nil
	}
	records, err := b.records()
	if err != nil {
		return 0, err
	}
	for i := range records {
		if e.empties(&records[i]) {
			n++
		}
	}
	return n, nil
}

func (tx *Tx) emptyBatch(ctx context.Context, first int64, e *Emptying) (int64, error) {
	var b batch
	if err := tx.Get(ctx, &b, `SELECT first, count, entries, keys, bodies FROM batches WHERE first = ?`, first); err != nil {
		return 0, err
	}
	keys, bodies, n, err := b.without(e)
	if err != nil || n == 0 {
		return 0, err
	}
	if err := tx.outdated(ctx, first, first+b.Count); err != nil {
		return 0, err
	}
	return n, tx.ExecOne(ctx, ErrNotFound, `UPDATE batches SET keys = ?, bodies = ? WHERE first = ?`, keys, bodies, first)
}

// without makes the row anew. The bytes of the records that stay are copied, not
// written again.
func (b *batch) without(e *Emptying) (keys, bodies []byte, n int64, err error) {
	records, err := b.records()
	if err != nil {
		return nil, nil, 0, err
	}
	k, o := unpacker{b: b.Keys}, unpacker{b: b.Bodies}
	for i := range records {
		r, key, body := &records[i], k.b, o.b
		k.keys(new(Record))
		o.body(new(Record))
		if !e.empties(r) {
			keys = append(keys, key[:len(key)-len(k.b)]...)
			bodies = append(bodies, body[:len(body)-len(o.b)]...)
			continue
		}
		r.empty(e.By)
		keys, bodies = appendKeys(keys, r), appendBody(bodies, r)
		n++
	}
	return keys, bodies, n, nil
}

// empty leaves what lists count by: when, in which tenant, through which client,
// what was asked for, and what came of it.
func (r *Record) empty(by string) {
	r.Erased, r.ErasedBy = true, by
	r.Body, r.Nonce = nil, trail.Nonce{}
	r.Subject, r.Resource, r.Related, r.Request, r.Grant, r.IP = "", "", "", "", "", ""
}

// Scrub makes bytes that were overwritten or deleted go from the search index
// and from SQLite's write-ahead logs, too; in the files themselves secure_delete
// has overwritten them. [ErrUnavailable] means that somebody is reading what was
// there before: try again. PostgreSQL keeps such bytes until it needs their
// place; see docs/export.md.
func (db *DB) Scrub(ctx context.Context) error {
	if err := db.Index(ctx); err != nil {
		return err
	}
	if !db.dialect.local {
		return nil
	}
	if err := truncateWAL(ctx, db.read); err != nil {
		return err
	}
	db.index.use.RLock()
	defer db.index.use.RUnlock()
	if db.index.read == nil {
		return nil
	}
	return truncateWAL(ctx, db.index.read)
}

// truncateWAL works on a connection that only reads, too (SQLite, pragma query_only).
func truncateWAL(ctx context.Context, on *sqlx.DB) error {
	var busy, log, done int
	if err := on.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done); err != nil {
		return err
	}
	if busy != 0 {
		return unavailable(errBusy)
	}
	return nil
}
