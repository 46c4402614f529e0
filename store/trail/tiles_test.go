package trail

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func TestTilesHaveOneSpelling(t *testing.T) {
	for path, want := range map[string]Tile{
		"0/000":                  {Width: 256},
		"0/001.p/255":            {N: 1, Width: 255},
		"1/x001/234.p/1":         {Level: 1, N: 1234, Width: 1},
		"0/x001/x234/067":        {N: 1234067, Width: 256},
		"entries/x001/000":       {Entries: true, N: 1000, Width: 256},
		"entries/000.p/7":        {Entries: true, Width: 7},
		"7/000.p/3":              {Level: 7, Width: 3},
		"0/x036/x028/x797/018/0": {},
	} {
		got, ok := ParseTile(path)
		if !ok && want.Width == 0 {
			continue
		}
		if !ok || got != want || got.Path() != path {
			t.Errorf("%s: %+v %t, want %+v", path, got, ok, want)
		}
	}
	for _, path := range []string{
		"", "0", "0/", "/000", "00/000", "0/0", "0/00", "0/0000", "0/1000", "0/x000/001", "0/001/000", "0/x1/000", "0/x001/x000",
		"0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000.p", "0/000.p/1/", "0/000.p/-1", "0/000.p/1.p/1", "0/000/", "8/000", "63/000", "-1/000", "+1/000",
		"entries", "entries/", "entries/0", "Entries/000", "data/000", "0/ 00", "0/x00a/000", "0/%30%30%30", "0/000?", "0/000\x00",
		"0/x999/x999/x999/x999/x999/999", "0/x036/x028/x797/x018/x963/967", "7/001", strings.Repeat("x000/", 20) + "000",
	} {
		if got, ok := ParseTile(path); ok {
			t.Errorf("%q is taken for %+v", path, got)
		}
	}
}

func FuzzParseTile(f *testing.F) {
	f.Add("0/x001/234.p/7")
	f.Add("entries/x001/x234/067")
	f.Fuzz(func(t *testing.T, path string) {
		tile, ok := ParseTile(path)
		if !ok {
			return
		}
		if tile.Path() != path {
			t.Errorf("%q is also %q", path, tile.Path())
		}
		if from, to := tile.Span(); from < 0 || to <= from || tile.In(0) {
			t.Errorf("%q spans %d to %d", path, from, to)
		}
	})
}

// TestTilesOfTheSpecification has the numbers of its example, a tree of 70,000.
func TestTilesOfTheSpecification(t *testing.T) {
	const size = 70_000
	for path, want := range map[string]bool{
		"0/272": true, "0/273": false, "0/273.p/112": true, "0/273.p/113": false,
		"1/000": true, "1/001.p/17": true, "1/001.p/18": false, "2/000.p/1": true, "2/000.p/2": false, "3/000.p/1": false,
		"entries/272": true, "entries/273.p/112": true, "entries/273": false,
	} {
		tile, ok := ParseTile(path)
		if !ok || tile.In(size) != want {
			t.Errorf("%s: %t, want %t", path, tile.In(size), want)
		}
	}
	if tile, _ := ParseTile("1/000.p/1"); !tile.In(256) || tile.In(255) {
		t.Error("a tree of 256 has a partial tile of one hash on level 1")
	}
}

// TestOurTilesAreThoseOfTlog compares the paths with the library that clients use.
func TestOurTilesAreThoseOfTlog(t *testing.T) {
	for _, size := range []int64{1, 255, 256, 257, 65_535, 65_536, 70_000, 300_000_000} {
		for _, theirs := range tlog.NewTiles(TileHeight, max(0, size-300), size) {
			want := strings.TrimPrefix(theirs.Path(), fmt.Sprintf("tile/%d/", TileHeight))
			tile, ok := ParseTile(want)
			if !ok || tile.Level != theirs.L || tile.N != theirs.N || tile.Width != theirs.W || !tile.In(size) {
				t.Errorf("%s: %+v, %t", want, tile, ok)
			}
		}
	}
}

func TestBundle(t *testing.T) {
	b := Bundle([]Entry{{1}, {2}})
	if len(b) != 2*34 || b[0] != 0 || b[1] != 32 || b[2] != 1 || b[34+1] != 32 || b[34+2] != 2 {
		t.Errorf("% x", b)
	}
}
