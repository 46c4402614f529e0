package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
	"github.com/pointgate/pointgate/store/trail"
)

// row is one of the log's, as whoever tampers with it sees it.
type row struct {
	First   int64  `db:"first"`
	Count   int64  `db:"count"`
	Entries []byte `db:"entries"`
	Keys    []byte `db:"keys"`
	Bodies  []byte `db:"bodies"`
}

// tamperer changes the log behind the program's back.
type tamperer struct {
	*testing.T
	db *store.DB
}

func (m tamperer) exec(query string, args ...any) {
	m.Helper()
	storetest.Write(m.T, m.db, func(tx *store.Tx) error {
		n, err := tx.Exec(background, query, args...)
		if err == nil && n == 0 {
			err = fmt.Errorf("nothing was changed by %s", query)
		}
		return err
	})
}

func (m tamperer) row(holds int64) (r row) {
	m.Helper()
	if err := m.db.Get(background, &r, `SELECT first, count, entries, keys, bodies FROM batches WHERE first <= ? ORDER BY first DESC LIMIT 1`, holds); err != nil {
		m.Fatal(err)
	}
	return r
}

func (m tamperer) put(r row) {
	m.Helper()
	m.exec(`UPDATE batches SET count = ?, entries = ?, keys = ?, bodies = ? WHERE first = ?`, r.Count, r.Entries, r.Keys, r.Bodies, r.First)
}

// forge makes the tree anew out of what the rows say, as one does who knows how.
func (m tamperer) forge() {
	m.Helper()
	size, err := m.db.LogSize(background)
	if err != nil {
		m.Fatal(err)
	}
	entries, err := m.db.Entries(background, 0, size)
	if err != nil {
		m.Fatal(err)
	}
	var tree trail.Frontier
	var nodes []trail.Node
	for _, e := range entries {
		nodes = append(nodes, tree.Append(e.Leaf())...)
	}
	storetest.Write(m.T, m.db, func(tx *store.Tx) error {
		if _, err := tx.Exec(background, `DELETE FROM tree_nodes`); err != nil {
			return err
		}
		for _, n := range nodes {
			if _, err := tx.Exec(background, `INSERT INTO tree_nodes (level, n, hash) VALUES (?, ?, ?)`, n.Level, n.N, n.Hash[:]); err != nil {
				return err
			}
		}
		_, err := tx.Exec(background, `UPDATE log_head SET size = ?, frontier = ?`, tree.Size(), tree.Bytes())
		return err
	})
}

// yesterday is the log cut back to a size, as an old copy of the database has it.
func (m tamperer) yesterday(size int64) {
	m.Helper()
	storetest.Write(m.T, m.db, func(tx *store.Tx) error {
		_, err := tx.Exec(background, `DELETE FROM batches WHERE first >= ?`, size)
		if err == nil {
			_, err = tx.Exec(background, `DELETE FROM checkpoints WHERE size > ?`, size)
		}
		if err == nil {
			_, err = tx.Exec(background, `UPDATE log_head SET size = ?, frontier = ''`, size)
		}
		return err
	})
	entries, err := m.db.Entries(background, 0, size)
	if err != nil {
		m.Fatal(err)
	}
	var tree trail.Frontier
	for _, e := range entries {
		tree.Append(e.Leaf())
	}
	m.exec(`UPDATE log_head SET frontier = ?`, tree.Bytes())
	m.forge()
}

// empty takes the content of one record, as an erasure does.
func (m tamperer) empty(index int64, by string) {
	m.Helper()
	_, n, err := m.db.Empty(background, store.Emptying{From: index, To: index + 1, By: by, Gone: func(r *store.Record) bool { return r.Index == index }},
		func(*store.Tx, int64, int64) error { return nil })
	if err != nil || n != 1 {
		m.Fatalf("%d emptied, %v", n, err)
	}
}

func flip(b []byte, at int) []byte {
	b = append([]byte(nil), b...)
	b[(at+len(b))%len(b)] ^= 0x10
	return b
}

// swap exchanges the two halves of equal size.
func swap(b []byte) []byte {
	half := len(b) / 2
	return append(append([]byte(nil), b[half:]...), b[:half]...)
}

// written adds 600 records, alike in length, with rows at 0, 300, 302, 400, 402 and 590.
func written(t *testing.T, db *store.DB) {
	t.Helper()
	n := 0
	for _, count := range []int{300, 2, 98, 2, 188, 10} {
		storetest.Write(t, db, func(tx *store.Tx) error {
			for range count {
				tx.Record(full(db, fmt.Sprintf("id-%06d", n)))
				n++
			}
			return nil
		})
	}
}

// full is a record whose body says all of it.
func full(db *store.DB, id string) *store.Record {
	at := store.At(db.Now())
	return &store.Record{
		ID: id, At: at, Tenant: "t", Subject: "cus_a", Client: "web", Action: "points.read", Resource: "cus_b", Code: "not_owner", Status: 403,
		Request: "req_" + id, Grant: "gr_1", IP: "192.0.2.1", Rules: store.Words{"points.read"},
		Body: fmt.Appendf(nil, `{"decision_id":%q,"timestamp":%q,"requested_by":"192.0.2.1","input":{"subject":{"id":"cus_a"},"action":{"name":"points.read"},`+
			`"resource":{"id":"cus_b"},"context":{"client":{"id":"web"},"request":{"id":%q}}},"result":{"allow":false,"reasons":[{"rule":"points.read"}]},`+
			`"custom":{"tenant":"t","status":403,"code":"not_owner","grant":"gr_1"}}`, id, at.Format("2006-01-02T15:04:05.000000Z"), "req_"+id),
	}
}

func verify(t *testing.T, o store.Options, claims ...store.Claim) *store.Verification {
	t.Helper()
	v, err := inspect(t, o).Verify(background, claims, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestVerifyFindsTampering: whatever is done to the log is found, and named by
// its index.
func TestVerifyFindsTampering(t *testing.T) {
	for name, tc := range map[string]struct {
		tamper func(m tamperer)
		want   string // in one of the findings; "" wants none
	}{
		"nothing":                   {func(tamperer) {}, ""},
		"a flipped bit in a body":   {func(m tamperer) { r := m.row(300); r.Bodies = flip(r.Bodies, -20); m.put(r) }, "index 301: the record is not the one"},
		"a flipped bit in a nonce":  {func(m tamperer) { r := m.row(300); r.Bodies = flip(r.Bodies, 7); m.put(r) }, "index 300: the record is not the one"},
		"a flipped bit in an entry": {func(m tamperer) { r := m.row(300); r.Entries = flip(r.Entries, 0); m.put(r) }, "index 300: the record is not the one"},
		"a flipped bit in a length": {func(m tamperer) { r := m.row(300); r.Bodies = flip(r.Bodies, 0); m.put(r) }, "300"},
		"what a list shows": {func(m tamperer) {
			r := m.row(300)
			r.Keys = []byte(strings.Replace(string(r.Keys), "cus_a", "cus_x", 1))
			m.put(r)
		}, "index 300: what lists show as its subject"},
		"a removed row": {func(m tamperer) { m.exec(`DELETE FROM batches WHERE first = 300`) }, "indexes 300 to 301: missing"},
		"a removed row, renumbered": {func(m tamperer) {
			m.exec(`DELETE FROM batches WHERE first = 300`)
			m.exec(`UPDATE batches SET first = first - 2 WHERE first = 302`)
			m.exec(`DELETE FROM batches WHERE first > 302`)
			m.exec(`UPDATE log_head SET size = 398`)
			m.forge()
		}, "indexes 300 to 397: the record is not the one"},
		"a reordered pair": {func(m tamperer) {
			r := m.row(300)
			r.Entries, r.Keys, r.Bodies = swap(r.Entries), swap(r.Keys), swap(r.Bodies)
			m.put(r)
		}, "indexes 300 to 301: the record is not the one"},
		"two rows exchanged, and the tree made anew": {func(m tamperer) {
			a, b := m.row(300), m.row(400)
			a.First, b.First = b.First, a.First
			m.put(a)
			m.put(b)
			m.forge()
		}, "indexes 400 to 401: the record is not the one"},
		"a truncated tail":            {func(m tamperer) { m.exec(`DELETE FROM batches WHERE first >= 590`) }, "indexes 590 to 599: missing"},
		"a tail cut off with its end": {func(m tamperer) { m.yesterday(590) }, "indexes 590 to 599: missing: the outside checkpoint has them"},
		"an end inside a row": {func(m tamperer) {
			entries, err := m.db.Entries(background, 0, 304)
			if err != nil {
				m.Fatal(err)
			}
			var tree trail.Frontier
			for _, e := range entries {
				tree.Append(e.Leaf())
			}
			m.exec(`UPDATE log_head SET size = 304, frontier = ?`, tree.Bytes())
		}, "indexes 304 to 399: behind the end of the log"},
		"a wrong node":            {func(m tamperer) { m.exec(`UPDATE tree_nodes SET hash = ? WHERE n = 1`, make([]byte, 32)) }, "indexes 256 to 511: the tree was not made of these"},
		"a wrong end of the tree": {func(m tamperer) { m.exec(`UPDATE log_head SET frontier = ?`, make([]byte, 32*4)) }, "the tree was not made of these"},
		"a kept checkpoint": {func(m tamperer) {
			m.exec(`INSERT INTO checkpoints (at, size, root, note) VALUES (1, 100, ?, '')`, make([]byte, 32))
		}, "index 99: the checkpoint of 1970-01-01T00:00:00Z is not what the log has signed"},
		"a count that is none": {func(m tamperer) { r := m.row(300); r.Count = -1; m.put(r) }, "index 300: its row does not have the entries"},
		"a count beyond all":   {func(m tamperer) { r := m.row(300); r.Count = 1<<59 + 2; m.put(r) }, "index 300: its row does not have the entries"},
		"a record more": {func(m tamperer) {
			m.exec(`INSERT INTO batches SELECT 600, count, entries, keys, bodies FROM batches WHERE first = 0`)
		}, "index 600: there are 1 rows behind the end"},
		"emptied by nobody":       {func(m tamperer) { m.empty(300, "made-up") }, `index 300: emptied by the decision "made-up", which the log does not have`},
		"emptied before its time": {func(m tamperer) { m.empty(301, "") }, "index 301: emptied, and neither an erasure nor the retention says so"},
		"another log altogether": {func(m tamperer) {
			m.exec(`DELETE FROM batches`)
			m.exec(`DELETE FROM tree_nodes`)
			m.exec(`UPDATE log_head SET size = 0, frontier = ?`, []byte{})
			written(m.T, m.db)
		}, "indexes 0 to 599: these are not the records of the outside checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.EachOptions(t, func(t *testing.T, o store.Options) {
				db := storetest.Open(t, o)
				written(t, db)
				head, err := db.Head(background)
				if err != nil {
					t.Fatal(err)
				}
				tc.tamper(tamperer{t, db})
				v := verify(t, o, store.Claim{Head: head, Where: "the outside checkpoint"})
				var all []string
				for _, f := range v.Findings {
					all = append(all, f.String())
				}
				if got := strings.Join(all, "\n"); tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
					t.Errorf("found:\n%s\nwant %q", got, tc.want)
				}
			})
		})
	}
}

// TestVerifyFindsYesterdaysDatabase: the files of an old copy in the place of
// today's are sound in themselves; what was published tells.
func TestVerifyFindsYesterdaysDatabase(t *testing.T) {
	o := store.Options{Dir: t.TempDir()}
	db, err := store.Open(background, o)
	if err != nil {
		t.Fatal(err)
	}
	written(t, db)
	old := filepath.Join(t.TempDir(), "old.db")
	if err := store.Backup(background, o.Dir, old, nil); err != nil {
		t.Fatal(err)
	}
	written(t, db)
	head, err := db.Head(background)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.Restore(background, o.Dir, old, nil); err != nil {
		t.Fatal(err)
	}
	v := verify(t, o, store.Claim{Head: head, Where: "the outside checkpoint"})
	if len(v.Findings) != 1 || v.Findings[0].From != 600 || v.Findings[0].To != 1199 {
		t.Errorf("found %v, want that 600 to 1199 are missing", v.Findings)
	}
}

// TestVerifyBesideAWriter: what is being written is no finding.
func TestVerifyBesideAWriter(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db := storetest.Open(t, o)
		written(t, db)
		ctx, stop := context.WithCancel(background)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for ctx.Err() == nil {
				if err := db.Append(background, full(db, "more")); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		for range 5 {
			if v := verify(t, o); len(v.Findings) > 0 || v.Size < 600 {
				t.Errorf("size %d: %v", v.Size, v.Findings)
			}
		}
		stop()
		<-ended
	})
}
