package store

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/pointgate/pointgate/store/trail"
)

// LogSize is how many records the log has.
func (db *DB) LogSize(ctx context.Context) (n int64, err error) {
	err = db.Get(ctx, &n, `SELECT size FROM log_head`)
	return n, err
}

// Head is the log's tree as it is now.
func (db *DB) Head(ctx context.Context) (trail.Head, error) {
	var h logHead
	if err := db.Get(ctx, &h, `SELECT size, frontier FROM log_head`); err != nil {
		return trail.Head{}, err
	}
	tree, err := h.tree()
	if err != nil {
		return trail.Head{}, err
	}
	return tree.Head(), nil
}

// batchesPerRead bounds what a reader of the log holds at a time to about 8 MiB.
const batchesPerRead = 64

// batchesFrom selects the batches that hold from ≤ index < to, oldest first.
const batchesFrom = ` FROM batches WHERE first >= (SELECT COALESCE(MAX(first), 0) FROM batches WHERE first <= ?) AND first < ? ORDER BY first LIMIT ?`

// Records calls fn with the records of all tenants from index from to before to,
// oldest first; with fewer, if the log ends. It is an error if one of them is
// missing. fn may keep what it is given; its error ends the reading.
func (db *DB) Records(ctx context.Context, from, to int64, fn func(*Record) error) error {
	for from < to {
		var rows []batch
		if err := db.Select(ctx, &rows, `SELECT first, count, entries, keys, bodies`+batchesFrom, from, to, batchesPerRead); err != nil {
			return err
		}
		next, err := eachRecord(rows, from, to, fn)
		if err != nil || next == from {
			return err
		}
		from = next
	}
	return nil
}

// eachRecord calls fn with what the rows hold of the range and returns the index after it.
func eachRecord(rows []batch, from, to int64, fn func(*Record) error) (int64, error) {
	for i := range rows {
		records, err := rows[i].records()
		if err != nil {
			return from, err
		}
		for j := range records {
			r := &records[j]
			if r.Index < from || r.Index >= to {
				continue
			}
			if r.Index > from {
				return from, fmt.Errorf("%w: the log has no index %d", errBatch, from)
			}
			if err := fn(r); err != nil {
				return from, err
			}
			from++
		}
	}
	return from, nil
}

// Entries are what the tree holds from index from to before to; fewer, if the
// log ends.
func (db *DB) Entries(ctx context.Context, from, to int64) ([]trail.Entry, error) {
	out := make([]trail.Entry, 0, min(to-from, 4096))
	for from < to {
		var rows []batch
		if err := db.Select(ctx, &rows, `SELECT first, count, entries`+batchesFrom, from, to, 4*batchesPerRead); err != nil {
			return nil, err
		}
		n := len(out)
		for _, b := range rows {
			for i := max(from, b.First); i < min(to, b.First+b.Count); i++ {
				if i != from || int64(len(b.Entries)) != b.Count*32 {
					return nil, fmt.Errorf("%w: the log has no entry %d", errBatch, from)
				}
				out = append(out, trail.Entry(b.Entries[(i-b.First)*32:]))
				from++
			}
		}
		if len(out) == n {
			break
		}
	}
	return out, nil
}

// Tree reads hashes of the log's tree.
func (db *DB) Tree(ctx context.Context) trail.Reader {
	return trail.Reader{
		Leaves: func(from, to int64) ([]tlog.Hash, error) {
			entries, err := db.Entries(ctx, from, to)
			leaves := make([]tlog.Hash, len(entries))
			for i, e := range entries {
				leaves[i] = e.Leaf()
			}
			return leaves, err
		},
		Nodes: func(level int, from, to int64) ([]tlog.Hash, error) {
			var rows [][]byte
			err := db.Select(ctx, &rows, `SELECT hash FROM tree_nodes WHERE level = ? AND n >= ? AND n < ? ORDER BY n`, level, from, to)
			nodes := make([]tlog.Hash, len(rows))
			for i, row := range rows {
				if copy(nodes[i][:], row) != tlog.HashSize {
					return nil, fmt.Errorf("%w: node %d of level %d", errBatch, from+int64(i), level)
				}
			}
			return nodes, err
		},
	}
}

// Cursor is how far a follower of the log has come: the index of the next record
// that it has not seen; 0 at first.
func (db *DB) Cursor(ctx context.Context, name string) (next int64, err error) {
	err = db.Get(ctx, &next, `SELECT COALESCE(MAX(idx), 0) FROM cursors WHERE name = ?`, name)
	return next, err
}

// SetCursor keeps how far a follower has come.
func (tx *Tx) SetCursor(ctx context.Context, name string, next int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO cursors (name, idx) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET idx = excluded.idx`, name, next)
	return err
}
