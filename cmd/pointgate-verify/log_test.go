package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLogHolds(t *testing.T) {
	for _, size := range []int{0, 1, 2, 255, 256, 257, 512, 700, 65537} {
		w := newWorld(t, size)
		site, dir := w.site(), filepath.Join(t.TempDir(), "mirror")
		all := fmt.Sprintf("entries         %d\n", size)
		w.wants(t, 0, []string{all}, "log", "--log", site)
		w.wants(t, 0, []string{all}, "mirror", "--log", site+"/", dir)
		w.wants(t, 0, []string{all}, "log", "--log", dir)
		for _, old := range []int{0, 1, 2, 3, 255, 256, 257, 511, 512, 699, 65536, size} {
			if old > size || size > 1000 && old%256 != 0 { // the large tree is slow to read
				continue
			}
			before := w.file("old", w.checkpoint(int64(old)))
			w.wants(t, 0, []string{"proven"}, "consistency", "--log", site, before)
			w.wants(t, 0, []string{"proven"}, "consistency", "--log", dir, before, w.file("new", w.checkpoint(int64(size))))
			w.wants(t, 0, []string{fmt.Sprintf("entries         %d\n", size-old)}, "log", "--log", site, "--from", before)
		}
	}
}

func TestFewTilesProveConsistency(t *testing.T) {
	w := newWorld(t, 66000)
	site := w.site()
	w.wants(t, 0, nil, "consistency", "--log", site, w.file("old", w.checkpoint(40001)))
	if len(w.asked) > 8 {
		t.Errorf("it read %d paths: %v", len(w.asked), w.asked)
	}
}

// TestPartialTilesMayBeGone: a log that has the full tile need not keep its parts.
func TestPartialTilesMayBeGone(t *testing.T) {
	w := newWorld(t, 600)
	old := w.file("old", w.checkpoint(500))
	w.served["tile/0/001.p/244"], w.served["tile/entries/001.p/244"], w.served["tile/1/000.p/1"] = nil, nil, nil
	w.served["checkpoint"] = []byte(w.checkpoint(500))
	w.wants(t, 1, []string{"index 0: the log has no tile/1/000.p/1"}, "log", "--log", w.site())
	delete(w.served, "tile/1/000.p/1")
	w.wants(t, 0, nil, "log", "--log", w.site())
	w.wants(t, 0, nil, "mirror", "--log", w.site(), t.TempDir())
	w.wants(t, 0, nil, "consistency", "--log", w.site(), w.file("older", w.checkpoint(300)), old)
}

// rewritten is the log of the same key, with another record at index.
func (w *world) rewritten(t *testing.T, index int) *world {
	other := newWorld(t, 0)
	other.log = w.log
	for i := range w.lines {
		if i == index {
			other.addBody(`{"custom":{"tenant":"demo"}}`, [32]byte{})
			continue
		}
		other.entries = append(other.entries, w.entries[i])
		hashes, err := tlogHashes(int64(i), w.entries[i], other)
		if err != nil {
			t.Fatal(err)
		}
		other.hashes = append(other.hashes, hashes...)
		other.lines = append(other.lines, w.lines[i])
	}
	return other
}

func TestConsistencyWithALie(t *testing.T) {
	w := newWorld(t, 700)
	old := w.file("old", w.checkpoint(300))
	for _, index := range []int{0, 255, 256, 299} {
		other := w.rewritten(t, index)
		w.wants(t, 1, []string{"not append-only: the first 300 records"}, "consistency", "--log", other.site(), old)
		w.wants(t, 1, []string{"not append-only"}, "log", "--log", other.site(), "--from", old)
	}
	w.wants(t, 0, nil, "consistency", "--log", w.rewritten(t, 300).site(), old)
	w.wants(t, 1, []string{"index 300: the old checkpoint has 700 records, the new one only 300"}, "consistency", "--log", w.site(), w.file("new", w.checkpoint(700)), old)
	w.wants(t, 1, []string{"not append-only"}, "consistency", "--log", w.site(), w.file("forged", w.signed(strings.Replace(w.text(700), w.root(700).String(), w.root(699).String(), 1))))
	w.wants(t, 1, []string{"do not lead to the root"}, "consistency", "--log", w.rewritten(t, 3).site(), old, w.file("new", w.checkpoint(700)))
	other := newWorld(t, 700)
	other.log = newSigner(t, "other.example/audit")
	w.wants(t, 1, []string{`the old checkpoint is of "points.example/audit", the new one of "other.example/audit"`}, "consistency", "--log", other.site(), old, "--key", other.log.vkey)
}

func TestLogWithALie(t *testing.T) {
	w := newWorld(t, 700)
	flip := func(path string, at int) []byte {
		b := bytes.Clone(w.resource(path))
		b[at] ^= 1
		return b
	}
	swap := func(path string, each, i, j int) []byte {
		b := bytes.Clone(w.resource(path))
		x := bytes.Clone(b[i*each : (i+1)*each])
		copy(b[i*each:], b[j*each:(j+1)*each])
		copy(b[j*each:], x)
		return b
	}
	removed := func(path string, each, i int) []byte {
		return slices.Delete(bytes.Clone(w.resource(path)), i*each, (i+1)*each)
	}
	full, part := w.resource("tile/entries/001"), w.resource("tile/entries/002.p/188")
	for name, c := range map[string]struct {
		path string
		data []byte
		want []string
	}{
		"a bit of an entry":           {"tile/entries/001", flip("tile/entries/001", 34*5+9), []string{"index 261: the entry here is not", "not the checkpoint's"}},
		"a bit of the last entry":     {"tile/entries/002.p/188", flip("tile/entries/002.p/188", 34*187+9), []string{"index 699: the entry here is not"}},
		"two entries swapped":         {"tile/entries/001", swap("tile/entries/001", 34, 3, 4), []string{"index 259: ", "index 260: "}},
		"an entry removed":            {"tile/entries/001", removed("tile/entries/001", 34, 250), []string{"index 511: tile/entries/001: here is no entry"}},
		"the last entry removed":      {"tile/entries/002.p/188", part[:len(part)-34], []string{"index 699: tile/entries/002.p/188: here is no entry"}},
		"half of the last entry":      {"tile/entries/002.p/188", part[:len(part)-17], []string{"index 699: "}},
		"a length of 33":              {"tile/entries/001", flip("tile/entries/001", 1), []string{"index 256: tile/entries/001: here is no entry"}},
		"no bundle":                   {"tile/entries/001", nil, []string{"index 256: the log has no tile/entries/001"}},
		"an endless bundle":           {"tile/entries/001", append(bytes.Clone(full), 0), []string{"longer than"}},
		"a bit of a leaf's hash":      {"tile/0/001", flip("tile/0/001", 32*7), []string{"index 263: the entry here is not"}},
		"a bit of the last hash":      {"tile/0/002.p/188", flip("tile/0/002.p/188", 32*187), []string{"do not lead to the root", "index 699: the entry here is not"}},
		"a bit of an inner hash":      {"tile/1/000.p/2", flip("tile/1/000.p/2", 3), []string{"do not lead to the root"}},
		"a short tile":                {"tile/0/001", w.resource("tile/0/001")[:8160], []string{"index 256: tile/0/001 is too short"}},
		"no tile":                     {"tile/0/001", nil, []string{"index 256: the log has no tile/0/001"}},
		"a checkpoint of fewer":       {"checkpoint", []byte(strings.Replace(w.checkpoint(700), "\n700\n", "\n699\n", 1)), []string{"invalid signature"}},
		"a checkpoint of other roots": {"checkpoint", []byte(w.rewritten(t, 600).checkpoint(700)), []string{"do not lead to the root", "not the checkpoint's"}},
	} {
		t.Run(name, func(t *testing.T) {
			honest := w.served
			w.served = map[string][]byte{c.path: c.data}
			defer func() { w.served = honest }()
			w.wants(t, 1, append(c.want, "DOES NOT HOLD"), "log", "--log", w.site())
			dir := t.TempDir()
			w.wants(t, 1, append(c.want, "DOES NOT HOLD"), "mirror", "--log", w.site(), dir)
			if _, err := os.Stat(filepath.Join(dir, "checkpoint")); err == nil {
				t.Error("the mirror has the checkpoint of a log that does not hold")
			}
			if kept, err := os.ReadFile(filepath.Join(dir, c.path)); err == nil && !bytes.Equal(kept, w.resource(c.path)) {
				t.Errorf("the mirror keeps a false %s", c.path)
			}
		})
	}
}

// TestLogWhoseTilesAgreeInALie: tile and entries fit each other, and not the root.
func TestLogWhoseTilesAgreeInALie(t *testing.T) {
	w := newWorld(t, 700)
	other := w.rewritten(t, 300)
	for _, path := range []string{"tile/0/001", "tile/entries/001"} {
		w.served[path] = other.resource(path)
	}
	want := []string{"index 256: the tile and the entries from here to 511 are not those of the checkpoint", "not the checkpoint's"}
	w.wants(t, 1, want, "log", "--log", w.site())
	w.wants(t, 1, want, "mirror", "--log", w.site(), t.TempDir())
}

func TestMirrorGoesOn(t *testing.T) {
	w := newWorld(t, 700)
	site, dir := w.site(), t.TempDir()
	w.served["tile/entries/002.p/188"] = nil
	w.wants(t, 1, nil, "mirror", "--log", site, dir)
	clear(w.served)
	clear(w.asked)
	w.wants(t, 0, nil, "mirror", "--log", site, dir)
	if len(w.asked) != 2 || w.asked["checkpoint"] != 1 || w.asked["tile/entries/002.p/188"] != 1 {
		t.Errorf("it read again what it had: %v", w.asked)
	}
	for range 400 {
		w.add()
	}
	clear(w.asked)
	w.wants(t, 0, []string{"continues       700", "entries         400"}, "mirror", "--log", site, dir)
	if w.asked["tile/0/000"]+w.asked["tile/entries/001"] > 0 || w.asked["tile/entries/002"] != 1 {
		t.Errorf("it read again what it had: %v", w.asked)
	}
	w.wants(t, 0, []string{"entries         1100"}, "log", "--log", dir)
	w.wants(t, 0, nil, "consistency", "--log", dir, w.file("old", w.checkpoint(3)))
}

func TestMirrorOfARewrittenLog(t *testing.T) {
	for _, index := range []int{3, 300, 699} {
		w := newWorld(t, 700)
		dir := t.TempDir()
		w.wants(t, 0, nil, "mirror", "--log", w.site(), dir)
		kept := snapshot(t, dir)
		other := w.rewritten(t, index)
		for range 50 {
			other.add()
		}
		w.wants(t, 1, []string{"not append-only", fmt.Sprintf("index %d: the log now has another record here", index)}, "mirror", "--log", other.site(), dir)
		for path, data := range snapshot(t, dir) {
			if old, had := kept[path]; had && old != data {
				t.Errorf("%s was overwritten", path)
			}
		}
		w.wants(t, 0, nil, "log", "--log", dir)
		// Nor is anything in it that is not of its own tree.
		for range 50 {
			w.add()
		}
		w.wants(t, 0, nil, "mirror", "--log", w.site(), dir)
	}
	// The first run ended before it had a checkpoint; what it kept is a witness all the same.
	w := newWorld(t, 700)
	dir := t.TempDir()
	w.wants(t, 0, nil, "mirror", "--log", w.site(), dir)
	if err := os.Remove(filepath.Join(dir, "checkpoint")); err != nil {
		t.Fatal(err)
	}
	w.wants(t, 1, []string{"index 5: tile/0/000: the log now has other bytes than the mirror kept"}, "mirror", "--log", w.rewritten(t, 5).site(), dir)
	// A log that was put back.
	w.served["checkpoint"] = []byte(w.checkpoint(600))
	dir = t.TempDir()
	w.file("x", "")
	other := newWorld(t, 0)
	other.log, other.lines, other.entries, other.hashes = w.log, w.lines, w.entries, w.hashes
	w.wants(t, 0, nil, "mirror", "--log", other.site(), dir)
	w.wants(t, 1, []string{"index 600: the old checkpoint has 700 records, the new one only 600"}, "mirror", "--log", w.site(), dir)
}

func TestAMirrorThatWasChanged(t *testing.T) {
	w := newWorld(t, 700)
	for path, want := range map[string]string{
		"tile/0/001":             "index 261: ",
		"tile/entries/001":       "index 260: ",
		"tile/entries/002.p/188": "index 516: ",
		"tile/1/000.p/2":         "do not lead to the root",
	} {
		dir := t.TempDir()
		w.wants(t, 0, nil, "mirror", "--log", w.site(), dir)
		data, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		data[min(165, len(data)-1)] ^= 1
		if err := os.WriteFile(filepath.Join(dir, path), data, 0o600); err != nil {
			t.Fatal(err)
		}
		w.wants(t, 1, []string{want}, "log", "--log", dir)
		if err := os.Remove(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
		w.wants(t, 1, []string{"the log has no " + path}, "log", "--log", dir)
	}
}

// TestMirrorKeepsNothingUnproven: a log that lied once, or a disk that did, does
// not make the mirror speak against the honest log for ever.
func TestMirrorKeepsNothingUnproven(t *testing.T) {
	w := newWorld(t, 700)
	other := w.rewritten(t, 300)
	tiles := []string{"tile/0/000", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"}
	entries := []string{"tile/entries/000", "tile/entries/001", "tile/entries/002.p/188"}
	for _, lie := range [][]string{append(tiles, entries...), {"tile/1/000.p/2", "tile/entries/001"}, {"tile/0/001", "tile/entries/001"}, entries} {
		dir := t.TempDir()
		for _, p := range lie {
			w.served[p] = other.resource(p)
		}
		w.wants(t, 1, nil, "mirror", "--log", w.site(), dir)
		clear(w.served)
		for path, data := range snapshot(t, dir) {
			if path, _ = filepath.Rel(dir, path); data != string(w.resource(path)) {
				t.Errorf("%v: it kept %s, which nobody proved", lie, path)
			}
		}
		w.wants(t, 0, nil, "mirror", "--log", w.site(), dir)
		w.wants(t, 0, nil, "log", "--log", dir)
	}
	for _, broken := range [][]byte{other.resource("tile/entries/001"), []byte("junk"), make([]byte, mostBundle)} {
		dir := t.TempDir()
		w.wants(t, 0, nil, "mirror", "--log", w.site(), dir)
		path := filepath.Join(dir, "tile/entries/001")
		err := errors.Join(os.WriteFile(path, broken, 0o600), os.Remove(filepath.Join(dir, "checkpoint")))
		if err != nil {
			t.Fatal(err)
		}
		if len(broken) != len(w.resource("tile/entries/001")) { // a write that was cut short
			w.wants(t, 0, nil, "mirror", "--log", w.site(), dir)
			w.wants(t, 0, nil, "log", "--log", dir)
			continue
		}
		code, out := w.run("mirror", "--log", w.site(), dir)
		if code != 1 || !strings.Contains(out, "tile/entries/001: the log now has other bytes than the mirror kept; the mirror's stay") || strings.Contains(out, "not the checkpoint's") {
			t.Errorf("exit code %d, and it is not the file that is blamed:\n%s", code, out)
		}
	}
}

// TestMirrorStaysInItsFolder: a link in the folder leads nowhere else.
func TestMirrorStaysInItsFolder(t *testing.T) {
	w := newWorld(t, 3)
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "tile")); err != nil {
		t.Fatal(err)
	}
	w.wants(t, 1, []string{"can't be kept"}, "mirror", "--log", w.site(), dir)
	if left := snapshot(t, outside); len(left) > 0 {
		t.Errorf("it wrote outside: %v", left)
	}
}

func snapshot(t *testing.T, dir string) map[string]string {
	all := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
