package trail

import (
	"errors"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Frontier is a tree reduced to what it needs to grow: its size, and the roots
// of the complete subtrees that it is made of, largest first. The zero value is
// the empty tree. It is not safe for concurrent use.
type Frontier struct {
	size  int64
	roots []tlog.Hash
}

// ErrFrontier says that bytes are no frontier of the size that they claim.
var ErrFrontier = errors.New("trail: a frontier does not have the subtrees of its size")

// ParseFrontier reads what [Frontier.Bytes] wrote for a tree of size leaves.
func ParseFrontier(size int64, b []byte) (*Frontier, error) {
	if size < 0 || len(b) != bits.OnesCount64(uint64(size))*tlog.HashSize {
		return nil, ErrFrontier
	}
	f := &Frontier{size: size, roots: make([]tlog.Hash, len(b)/tlog.HashSize)}
	for i := range f.roots {
		copy(f.roots[i][:], b[i*tlog.HashSize:])
	}
	return f, nil
}

// Bytes are the roots, one after the other.
func (f *Frontier) Bytes() []byte {
	b := make([]byte, 0, len(f.roots)*tlog.HashSize)
	for _, h := range f.roots {
		b = append(b, h[:]...)
	}
	return b
}

// Size is the number of leaves.
func (f *Frontier) Size() int64 { return f.size }

// Node is the root of a complete subtree: 1<<Level leaves, beginning with leaf
// N<<Level.
type Node struct {
	Level int
	N     int64
	Hash  tlog.Hash
}

// Append adds a leaf. It returns the nodes of levels 8, 16, 24 … that became
// complete, which are those that a [Reader] can't make of a few leaves.
func (f *Frontier) Append(leaf tlog.Hash) (kept []Node) {
	h := leaf
	level := 0
	for n := f.size; n&1 == 1; n >>= 1 {
		last := len(f.roots) - 1
		h = tlog.NodeHash(f.roots[last], h)
		f.roots = f.roots[:last]
		level++
		if level%TileHeight == 0 {
			kept = append(kept, Node{Level: level, N: f.size >> level, Hash: h})
		}
	}
	f.roots = append(f.roots, h)
	f.size++
	return kept
}

// Root is the root hash of the tree; that of the empty tree is SHA-256 of nothing.
func (f *Frontier) Root() tlog.Hash {
	if f.size == 0 {
		h, _ := tlog.TreeHash(0, nil) // reads nothing, so nothing fails
		return h
	}
	h := f.roots[len(f.roots)-1]
	for i := len(f.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.roots[i], h)
	}
	return h
}

// Head is a tree as a checkpoint names it.
type Head struct {
	Size int64
	Root tlog.Hash
}

// Head is the tree's size and root.
func (f *Frontier) Head() Head { return Head{Size: f.size, Root: f.Root()} }
