package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// indexMeta is the one row that says how far the index has come.
type indexMeta struct {
	Version  int64  `db:"version"`
	Salt     []byte `db:"salt"`
	Position int64  `db:"position"`
	Entry    []byte `db:"entry"` // of the record before position
}

const selectIndexMeta = `SELECT version, salt, position, entry FROM search_meta`

// indexTx is one step of the index.
type indexTx struct {
	tx   *sqlx.Tx
	db   *DB
	ctx  context.Context
	meta indexMeta
	keys keyMaker
}

// change runs fn in a transaction that no other step, of any node, runs beside.
func (x *index) change(ctx context.Context, fn func(t *indexTx) error) error {
	tx, err := x.write.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	t := &indexTx{tx: tx, db: x.db, ctx: ctx}
	if x.path == "" { // it is made again if it is lost
		if _, err := tx.ExecContext(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
	}
	query := selectIndexMeta
	if x.path == "" {
		query += ` FOR UPDATE`
	}
	if err := tx.GetContext(ctx, &t.meta, query); err != nil {
		return fmt.Errorf("%w: %w", errIndex, err)
	}
	if t.meta.Version != indexVersion {
		return fmt.Errorf("%w: it has version %d", errIndex, t.meta.Version)
	}
	x.salt, t.keys.salt = t.meta.Salt, t.meta.Salt
	if err := fn(t); err != nil {
		return err
	}
	return tx.Commit()
}

// step indexes the next records, at most to the end of their chunk, and returns
// how far the index has come.
func (x *index) step(ctx context.Context, size int64) (at int64, err error) {
	err = x.change(ctx, func(t *indexTx) error {
		if at = t.meta.Position; at > size {
			if size, err = x.db.LogSize(ctx); err != nil {
				return logError{err}
			}
			if at > size { // another node may have gone on
				return fmt.Errorf("%w: it is ahead of the log", errIndex)
			}
		}
		to := min(size, (at>>chunkBits+1)<<chunkBits)
		records, err := t.check(to)
		if err != nil || len(records) == 0 {
			return err
		}
		if err := t.add(records); err != nil {
			return err
		}
		at = to
		_, err = t.tx.ExecContext(ctx, t.tx.Rebind(`UPDATE search_meta SET position = ?, entry = ?`), at, records[len(records)-1].Entry[:])
		return err
	})
	return at, err
}

// check reads the records from the index's position up to another, without
// bodies, and that the one before is the one that the index knows.
func (t *indexTx) check(to int64) (records []Record, err error) {
	from := max(0, t.meta.Position-1)
	records = make([]Record, 0, to-from)
	err = t.db.eachKeys(t.ctx, from, to, func(r *Record) error { records = append(records, *r); return nil })
	if err != nil {
		return nil, logError{err}
	}
	if int64(len(records)) != max(0, to-from) {
		return nil, fmt.Errorf("%w: the log has no index %d", errBatch, from+int64(len(records)))
	}
	if t.meta.Position == 0 {
		return records, nil
	}
	if len(records) == 0 || !bytes.Equal(t.meta.Entry, records[0].Entry[:]) {
		return nil, fmt.Errorf("%w: it is that of another log", errIndex)
	}
	return records[1:], nil
}

// add indexes records in a row, all of one chunk, behind those that it has of it.
func (t *indexTx) add(records []Record) error {
	chunk := records[0].Index >> chunkBits
	postings := make([]posting, 0, 11*len(records))
	for i := range records {
		r := &records[i]
		low := uint16(r.Index & (chunkSize - 1))
		r.eachValue(func(f field, value string) {
			postings = append(postings, posting{t.keys.key(f, r.Tenant, value), low, f})
		})
	}
	slices.SortFunc(postings, comparePostings)
	groups := groupPostings(postings)
	if err := t.addSlots(chunk, groups); err != nil {
		return err
	}
	if err := t.addSpans(chunk, records); err != nil {
		return err
	}
	return t.addValues(chunk, records, groups)
}

// addSlots adds to each slot that the groups are in.
func (t *indexTx) addSlots(chunk int64, groups []group) error {
	w := &rowWriter{t: t, head: `INSERT INTO search_slots (id, data) VALUES `, row: `(?,?)`, tail: ` ON CONFLICT (id) DO UPDATE SET data = excluded.data`}
	for len(groups) > 0 {
		var some [][]group // by slot
		for ; len(groups) > 0 && len(some) < 256; groups = groups[len(some[len(some)-1]):] {
			n := 1
			for n < len(groups) && groups[n].postings[0].key.slot() == groups[0].postings[0].key.slot() {
				n++
			}
			some = append(some, groups[:n])
		}
		rows := make([]int64, len(some))
		for i, g := range some {
			rows[i] = slotRow(chunk, g[0].postings[0].key.slot())
		}
		was, err := readSlots(t.ctx, t.tx, rows)
		if err != nil {
			return err
		}
		for i, row := range rows {
			data, err := mergeSlot(was[row], some[i])
			if err != nil {
				return err
			}
			if err := w.add(row, withSum(row, data)); err != nil {
				return err
			}
		}
	}
	return w.flush()
}

// readSlots reads rows of slots, those that are there, without their checksums.
func readSlots(ctx context.Context, q sqlx.QueryerContext, rows []int64) (map[int64][]byte, error) {
	var found []struct {
		ID   int64  `db:"id"`
		Data []byte `db:"data"`
	}
	if err := sqlx.SelectContext(ctx, q, &found, `SELECT id, data FROM search_slots WHERE id IN (`+numbers(rows)+`)`); err != nil {
		return nil, err
	}
	out := make(map[int64][]byte, len(found))
	for _, f := range found {
		data, err := checked(f.ID, f.Data)
		if err != nil {
			return nil, err
		}
		out[f.ID] = data
	}
	return out, nil
}

// addSpans adds the times and ids of records.
func (t *indexTx) addSpans(chunk int64, records []Record) error {
	var rows []chunkRow
	err := t.tx.SelectContext(t.ctx, &rows, t.tx.Rebind(`SELECT chunk, times, ids FROM search_chunks WHERE chunk = ?`), chunk)
	if err != nil {
		return err
	}
	row, spans := chunkRow{Chunk: chunk}, []span(nil)
	if len(rows) > 0 {
		row = rows[0]
		if spans, err = row.times(); err == nil {
			err = row.ids(spans)
		}
		if err != nil {
			return err
		}
	}
	at, err := t.timesOf(records[0].Index)
	if err != nil {
		return err
	}
	w := &rowWriter{t: t, head: `INSERT INTO search_times (span, at) VALUES `, row: `(?,?)`, tail: ` ON CONFLICT (span) DO UPDATE SET at = excluded.at`}
	for i := range records {
		r := &records[i]
		n := int(r.Index&(chunkSize-1)) >> spanBits
		micros := r.At.UnixMicro()
		if n == len(spans) {
			spans = append(spans, spanOf(micros, r.ID))
		} else if n > len(spans) {
			return errIndex
		}
		spans[n].add(micros, r.ID)
		if at = append(at, micros); (r.Index+1)&(spanSize-1) == 0 || i == len(records)-1 {
			id := r.Index >> spanBits
			if err := w.add(id, packTimes(id, at)); err != nil {
				return err
			}
			at = at[:0]
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	row.put(spans)
	_, err = t.tx.ExecContext(t.ctx, t.tx.Rebind(`INSERT INTO search_chunks (chunk, from_at, to_at, lo_id, hi_id, times, ids) VALUES (?,?,?,?,?,?,?)
		ON CONFLICT (chunk) DO UPDATE SET from_at = excluded.from_at, to_at = excluded.to_at, lo_id = excluded.lo_id, hi_id = excluded.hi_id,
		times = excluded.times, ids = excluded.ids`), row.Chunk, row.From, row.To, row.Lo, row.Hi, row.Times, row.IDs)
	return err
}

// timesOf are those of the records before index in its span.
func (t *indexTx) timesOf(index int64) ([]int64, error) {
	if index&(spanSize-1) == 0 {
		return nil, nil
	}
	var b []byte
	if err := t.tx.GetContext(t.ctx, &b, t.tx.Rebind(`SELECT at FROM search_times WHERE span = ?`), index>>spanBits); err != nil {
		return nil, fmt.Errorf("%w: %w", errIndex, err)
	}
	at, err := unpackTimes(index>>spanBits, b)
	if err == nil && int64(len(at)) != index&(spanSize-1) {
		err = errIndex
	}
	return at, err
}

// rareShare: a subject with less than this part of its tenant's records in a
// chunk is none of the chunk's values: most customers are seen once.
const rareShare = 1024

// addValues notes what there is to count by, and how often.
func (t *indexTx) addValues(chunk int64, records []Record, groups []group) error {
	totals := map[string]int{}
	for _, g := range groups {
		if g.postings[0].field == fieldTenant {
			totals[t.recordOf(records, &g).Tenant] = g.total
		}
	}
	w := &rowWriter{t: t, head: `INSERT INTO search_values (tenant, field, chunk, value, n) VALUES `, row: `(?,?,?,?,?)`,
		tail: ` ON CONFLICT (tenant, field, chunk, value) DO UPDATE SET n = excluded.n`}
	for _, g := range groups {
		f, r := g.postings[0].field, t.recordOf(records, &g)
		if !f.isCounted() || (f == fieldSubject && g.total < totals[r.Tenant]/rareShare) {
			continue
		}
		value := t.keys.valueOf(r, f, g.postings[0].key)
		if err := w.add([]byte(r.Tenant), int64(f), chunk, []byte(value), g.total); err != nil {
			return err
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	for tenant, total := range totals { // they were not rare when there were fewer
		if _, err := t.tx.ExecContext(t.ctx, t.tx.Rebind(`DELETE FROM search_values WHERE tenant = ? AND field = ? AND chunk = ? AND n < ?`),
			[]byte(tenant), int64(fieldSubject), chunk, total/rareShare); err != nil {
			return err
		}
	}
	return nil
}

// recordOf is a record that has the group's key.
func (t *indexTx) recordOf(records []Record, g *group) *Record {
	return &records[int64(g.postings[0].low)-records[0].Index&(chunkSize-1)]
}

// rowWriter inserts many rows with one statement.
type rowWriter struct {
	t               *indexTx
	head, row, tail string
	args            []any
	rows            int
}

const rowsPerInsert = 128

func (w *rowWriter) add(values ...any) error {
	w.args = append(w.args, values...)
	if w.rows++; w.rows < rowsPerInsert {
		return nil
	}
	return w.flush()
}

func (w *rowWriter) flush() error {
	if w.rows == 0 {
		return nil
	}
	query := w.head + strings.TrimSuffix(strings.Repeat(w.row+",", w.rows), ",") + w.tail
	_, err := w.t.tx.ExecContext(w.t.ctx, w.t.tx.Rebind(query), w.args...)
	w.args, w.rows = w.args[:0], 0
	return err
}

// numbers joins integers for an IN; nobody outside chooses them.
func numbers(list []int64) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]")
}
