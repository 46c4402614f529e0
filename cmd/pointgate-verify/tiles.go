package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	wide   = 1 << height // hashes in a full tile, entries in a full bundle
)

// tiles reads the tiles of one log, and keeps a mirror of them where there is
// one. It believes nothing: tlog.TileHashReader leads each tile to a signed root,
// and hands back through SaveTiles what it could.
type tiles struct {
	from   source
	mirror *folder // read first, written to; nil: no mirror
	around bool    // read around the mirror
	fixed  bool    // keep nothing in it
	kept   map[tlog.Tile][]byte
	saved  map[string]bool
	find   func(*finding)
}

// mostKept bounds memory: 8 KiB each. One path to the root is a handful of tiles.
const mostKept = 256

func (t *tiles) Height() int { return height }

// path is the path of a tile in C2SP tlog-tiles, which has no height in it.
func path(t tlog.Tile) string {
	p := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
	return strings.Replace(p, "tile/data/", "tile/entries/", 1)
}

// ReadTiles implements tlog.TileReader.
func (t *tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(want))
	for i, w := range want {
		data, ok := t.kept[w]
		if !ok {
			var err error
			if data, err = t.fetch(w, mostTile); err != nil {
				return nil, err
			}
			if len(data) < w.W*tlog.HashSize {
				return nil, foundAt(first(w, 0), "%s is too short", path(w))
			}
			data = data[:w.W*tlog.HashSize]
			if len(t.kept) >= mostKept {
				clear(t.kept)
			}
			t.kept[w] = data
		}
		all[i] = data
	}
	return all, nil
}

// first is the first entry under the i-th hash of a tile.
func first(t tlog.Tile, i int) int64 { return (t.N*wide + int64(i)) << (height * max(t.L, 0)) }

// fetch reads a tile or bundle; where the log keeps a partial one no more, it has the full one.
func (t *tiles) fetch(w tlog.Tile, limit int64) ([]byte, error) {
	if t.mirror != nil && !t.around {
		if data, err := t.mirror.get(path(w), limit); err == nil && len(data) > 0 {
			return data, nil
		}
	}
	data, err := t.from.get(path(w), limit)
	if errors.Is(err, fs.ErrNotExist) && w.W < wide {
		full := w
		full.W = wide
		data, err = t.from.get(path(full), limit)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, foundAt(first(w, 0), "the log has no %s, which its checkpoint needs", path(w))
	}
	return data, err
}

// SaveTiles implements tlog.TileReader.
func (t *tiles) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for i, w := range tiles {
		t.save(w, data[i], tlog.HashSize)
	}
}

// save keeps what was proven in the mirror. What the mirror has already is never
// replaced: other bytes under the same path are the trace of a rewritten log.
func (t *tiles) save(w tlog.Tile, data []byte, each int) {
	if t.mirror == nil || t.fixed || t.saved[path(w)] {
		return
	}
	t.saved[path(w)] = true
	old, err := t.mirror.get(path(w), mostBundle)
	if err == nil && len(old) == len(data) {
		if !bytes.Equal(old, data) {
			i := 0
			for bytes.Equal(old[i*each:(i+1)*each], data[i*each:(i+1)*each]) {
				i++
			}
			t.find(foundAt(first(w, i), "%s: the log now has other bytes than the mirror kept; the mirror's stay", path(w)))
		}
		return
	}
	if err := t.mirror.put(path(w), data); err != nil {
		t.find(found("%s can't be kept: %v", path(w), err))
	}
}

// leaves are the proven hashes of the n-th tile of level 0 in a tree.
func (t *tiles) leaves(tree tlog.Tree, n int64) ([]tlog.Hash, error) {
	var indexes []int64
	for i := n * wide; i < min((n+1)*wide, tree.N); i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	return t.hashes(tree, indexes)
}

// unproven are the hashes that the n-th tile of level 0 claims.
func (t *tiles) unproven(tree tlog.Tree, n int64) (all []tlog.Hash, err error) {
	data, err := t.ReadTiles([]tlog.Tile{{H: height, L: 0, N: n, W: int(min(wide, tree.N-n*wide))}})
	for i := 0; err == nil && i < len(data[0]); i += tlog.HashSize {
		all = append(all, tlog.Hash(data[0][i:i+tlog.HashSize]))
	}
	return all, err
}

// hashes reads proven hashes of a tree; a finding, if the tiles don't lead to its root.
func (t *tiles) hashes(tree tlog.Tree, indexes []int64) ([]tlog.Hash, error) {
	read := func() ([]tlog.Hash, error) { return tlog.TileHashReader(tree, t).ReadHashes(indexes) }
	all, err := read()
	if err != nil && t.mirror != nil && !t.around {
		// Perhaps it is the mirror that is wrong: what the log says now decides.
		t.around = true
		clear(t.kept)
		all, err = read()
		t.around = false
		clear(t.kept)
	}
	file := (*fs.PathError)(nil)
	if err == nil || asFinding(err) != nil || errors.As(err, &unreachable{}) || errors.As(err, &file) {
		return all, err
	}
	return nil, found("the tiles do not lead to the root of the checkpoint: %v", err)
}

// bundle is the n-th bundle of a tree's entries, unproven.
func (t *tiles) bundle(tree tlog.Tree, n int64) (entries []tlog.Hash, err error) {
	w := tlog.Tile{H: height, L: -1, N: n, W: int(min(wide, tree.N-n*wide))}
	data, err := t.fetch(w, mostBundle)
	if err != nil {
		return nil, err
	}
	for i := range w.W {
		if len(data) < 2+tlog.HashSize || binary.BigEndian.Uint16(data) != tlog.HashSize {
			return nil, foundAt(first(w, i), "%s: here is no entry of 32 bytes", path(w))
		}
		entries = append(entries, tlog.Hash(data[2:2+tlog.HashSize]))
		data = data[2+tlog.HashSize:]
	}
	return entries, nil
}

// frontier is the tree over what was added so far, as the roots of its full
// subtrees from left to right (RFC 6962, section 2.1): 63 hashes at most.
type frontier struct {
	size  int64
	roots []tlog.Hash
}

func (f *frontier) add(leaf tlog.Hash) {
	for s := f.size; s&1 == 1; s >>= 1 {
		leaf = tlog.NodeHash(f.roots[len(f.roots)-1], leaf)
		f.roots = f.roots[:len(f.roots)-1]
	}
	f.roots = append(f.roots, leaf)
	f.size++
}

func (f *frontier) root() tlog.Hash {
	if f.size == 0 {
		return sha256.Sum256(nil)
	}
	h := f.roots[len(f.roots)-1]
	for i := len(f.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.roots[i], h)
	}
	return h
}
