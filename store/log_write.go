package store

import (
	"bytes"

	"github.com/jmoiron/sqlx"

	"github.com/pointgate/pointgate/store/trail"
)

// logHead is the locked row that each group begins with.
type logHead struct {
	Size     int64  `db:"size"`
	Frontier []byte `db:"frontier"`
}

func (h logHead) tree() (*trail.Frontier, error) {
	if !hashing {
		return &trail.Frontier{}, nil
	}
	return trail.ParseFrontier(h.Size, h.Frontier)
}

// insertRecords gives the group's records their indexes, adds them to the tree
// and moves the head.
func (g *groupTx) insertRecords() error {
	if len(g.records) == 0 {
		return nil
	}
	tree, err := g.head.tree()
	if err != nil {
		return err
	}
	var nodes []trail.Node
	b := &batch{First: g.head.Size}
	for i, r := range g.records {
		r.Index = g.head.Size + int64(i)
		if hashing {
			r.Entry = r.commitment.At(r.Index)
			nodes = append(nodes, tree.Append(r.Entry.Leaf())...)
		}
		if b.add(r); b.full() || i == len(g.records)-1 {
			if err := g.insertBatch(b); err != nil {
				return err
			}
			b = &batch{First: r.Index + 1}
		}
	}
	for _, n := range nodes {
		if err := g.execute(`INSERT INTO tree_nodes (level, n, hash) VALUES (?, ?, ?)`, n.Level, n.N, n.Hash[:]); err != nil {
			return err
		}
	}
	return g.execute(`UPDATE log_head SET size = ?, frontier = ?`, g.head.Size+int64(len(g.records)), tree.Bytes())
}

func (g *groupTx) insertBatch(b *batch) error {
	return g.execute(`INSERT INTO batches (first, count, entries, keys, bodies) VALUES (?, ?, ?, ?, ?)`,
		b.First, b.Count, b.Entries, b.Keys, b.Bodies)
}

func (g *groupTx) execute(query string, args ...any) error {
	p, err := g.conn.prepared(g.ctx, query)
	if err == nil {
		_, err = p.ExecContext(g.ctx, args...)
	}
	return err
}

// isIn reports whether the log has the group's records where it put them. It
// waits for the head first, which the transaction holds that may still be
// committing.
func (g *groupTx) isIn(read *sqlx.DB) bool {
	first := g.records[0]
	tx, err := read.BeginTxx(g.ctx, nil)
	if err != nil {
		return false
	}
	defer tx.Rollback()
	var head logHead
	if err := tx.GetContext(g.ctx, &head, g.db.dialect.lockHead); err != nil {
		return false
	}
	var entries []byte
	err = tx.GetContext(g.ctx, &entries, sqlx.Rebind(g.db.dialect.bind, `SELECT entries FROM batches WHERE first = ?`), first.Index)
	return err == nil && bytes.HasPrefix(entries, first.Entry[:])
}
