package trail

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// TileHeight is that of C2SP tlog-tiles: 256 hashes in a full tile.
const TileHeight = 8

// Reader reads hashes of a tree, by the numbers of [tlog.StoredHashIndex], out
// of its leaves and of the nodes that [Frontier.Append] gave to be kept.
type Reader struct {
	// Leaves are the leaf hashes from index from to before to.
	Leaves func(from, to int64) ([]tlog.Hash, error)
	// Nodes are the nodes of a level (8, 16, 24 …) from n to before m.
	Nodes func(level int, from, to int64) ([]tlog.Hash, error)
}

// ReadHashes implements [tlog.HashReader]. Each hash is made of at most 128
// leaves or kept nodes.
func (r Reader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		h, err := r.node(level, n)
		if err != nil {
			return nil, err
		}
		out[i] = h
	}
	return out, nil
}

// node is folded out of the nearest kept level below.
func (r Reader) node(level int, n int64) (tlog.Hash, error) {
	up := level % TileHeight
	from, to := n<<up, (n+1)<<up
	row, err := r.Row(level-up, from, to)
	if err != nil {
		return tlog.Hash{}, err
	}
	for ; len(row) > 1; row = row[:len(row)/2] {
		for i := range len(row) / 2 {
			row[i] = tlog.NodeHash(row[2*i], row[2*i+1])
		}
	}
	return row[0], nil
}

// Row is the hashes from to before to of a level that is a multiple of 8: a
// tile, or a part of one. It is an error if the tree does not have them all.
func (r Reader) Row(level int, from, to int64) (row []tlog.Hash, err error) {
	if level == 0 {
		row, err = r.Leaves(from, to)
	} else {
		row, err = r.Nodes(level, from, to)
	}
	if err == nil && int64(len(row)) != to-from {
		err = fmt.Errorf("trail: level %d has %d of the hashes %d to %d", level, len(row), from, to-1)
	}
	return row, err
}
