package store

import (
	"context"
	"fmt"
	"strings"
)

// redone is the beginning of the names of the cursors that say which chunks have
// had records emptied, and how often since.
const redone = "index/redo/"

// outdated has the index made anew for the chunks of records whose keys change.
func (tx *Tx) outdated(ctx context.Context, from, to int64) error {
	for chunk := from >> chunkBits; chunk <= (to-1)>>chunkBits; chunk++ {
		_, err := tx.Exec(ctx, `INSERT INTO cursors (name, idx) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET idx = cursors.idx + 1`,
			fmt.Sprint(redone, chunk))
		if err != nil {
			return err
		}
	}
	return nil
}

// redo makes outdated chunks anew.
func (x *index) redo(ctx context.Context) error {
	var marks []struct {
		Name string `db:"name"`
		Idx  int64  `db:"idx"`
	}
	if err := x.db.Select(ctx, &marks, `SELECT name, idx FROM cursors WHERE name LIKE ?`, redone+"%"); err != nil {
		return logError{err}
	}
	for _, m := range marks {
		var chunk int64
		if _, err := fmt.Sscanf(strings.TrimPrefix(m.Name, redone), "%d", &chunk); err != nil {
			return err
		}
		if err := x.change(ctx, func(t *indexTx) error { return t.redoChunk(chunk) }); err != nil {
			return err
		}
	}
	if len(marks) == 0 {
		return nil
	}
	err := x.db.Write(ctx, func(tx *Tx) error {
		for _, m := range marks {
			// One with another number was emptied again meanwhile.
			if _, err := tx.Exec(ctx, `DELETE FROM cursors WHERE name = ? AND idx = ?`, m.Name, m.Idx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return logError{err}
	}
	return nil
}

func (t *indexTx) redoChunk(chunk int64) error {
	from, to := chunk<<chunkBits, min(t.meta.Position, (chunk+1)<<chunkBits)
	if from >= to {
		return nil // what comes is read as it is now
	}
	records := make([]Record, 0, to-from)
	if err := t.db.eachKeys(t.ctx, from, to, func(r *Record) error { records = append(records, *r); return nil }); err != nil {
		return logError{err}
	}
	if int64(len(records)) != to-from {
		return fmt.Errorf("%w: the log has no index %d", errBatch, from+int64(len(records)))
	}
	for _, d := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM search_slots WHERE id >= ? AND id < ?`, []any{slotRow(chunk, 0), slotRow(chunk+1, 0)}},
		{`DELETE FROM search_chunks WHERE chunk = ?`, []any{chunk}},
		{`DELETE FROM search_times WHERE span >= ? AND span < ?`, []any{from >> spanBits, (chunk + 1) << (chunkBits - spanBits)}},
		{`DELETE FROM search_values WHERE chunk = ?`, []any{chunk}},
	} {
		if _, err := t.tx.ExecContext(t.ctx, t.tx.Rebind(d.query), d.args...); err != nil {
			return err
		}
	}
	return t.add(records)
}
