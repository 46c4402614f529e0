package trail

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// TileWidth is how many hashes, or entries, a full tile has.
const TileWidth = 1 << TileHeight

// maxTileLevel is the highest level that a tree of int64 leaves can have.
const maxTileLevel = 63 / TileHeight

// Tile is one resource of C2SP tlog-tiles: hashes of the tree, or the entries of
// its leaves.
type Tile struct {
	Entries bool
	Level   int // 0 for entries
	N       int64
	Width   int // 1 to 256; less than 256 is a partial tile
}

// ParseTile reads the path of a tile, behind …/tile/. ok is false for every
// spelling but the one of [Tile.Path], and where no tree can have the tile.
func ParseTile(path string) (t Tile, ok bool) {
	if len(path) > 64 {
		return t, false
	}
	t.Width = TileWidth
	level, rest, _ := strings.Cut(path, "/")
	if t.Entries = level == "entries"; !t.Entries {
		n, err := strconv.ParseUint(level, 10, 8)
		if err != nil || n > maxTileLevel {
			return t, false
		}
		t.Level = int(n)
	}
	rest, width, partial := strings.Cut(rest, ".p/")
	if partial {
		w, err := strconv.ParseUint(width, 10, 16)
		if err != nil || w == 0 || w >= TileWidth {
			return t, false
		}
		t.Width = int(w)
	}
	n, err := strconv.ParseUint(strings.NewReplacer("x", "", "/", "").Replace(rest), 10, 64)
	if hashes := uint64(math.MaxInt64) >> (TileHeight * t.Level); err != nil || n > 0 && n >= hashes/TileWidth {
		return t, false
	}
	t.N = int64(n)
	return t, t.Path() == path
}

// Path is <L>/<N>[.p/<W>] or entries/<N>[.p/<W>], with <N> in groups of three
// digits.
func (t Tile) Path() string {
	path := fmt.Sprintf("%03d", t.N%1000)
	for n := t.N / 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if t.Width < TileWidth {
		path += fmt.Sprintf(".p/%d", t.Width)
	}
	if t.Entries {
		return "entries/" + path
	}
	return strconv.Itoa(t.Level) + "/" + path
}

// Span is which hashes of the level the tile has: from from to before to.
func (t Tile) Span() (from, to int64) {
	from = t.N * TileWidth
	return from, from + int64(t.Width)
}

// In reports whether a tree of this size has all of the tile.
func (t Tile) In(size int64) bool {
	_, to := t.Span()
	return to <= size>>(TileHeight*t.Level)
}

// Bundle is the content of a tile of entries.
func Bundle(entries []Entry) []byte {
	b := make([]byte, 0, len(entries)*(2+len(Entry{})))
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, uint16(len(e)))
		b = append(b, e[:]...)
	}
	return b
}
