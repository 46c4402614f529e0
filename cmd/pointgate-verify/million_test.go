package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const million = 1_000_000

// big is a log in memory, with an export of small bodies.
type big struct {
	*world
	export bytes.Buffer
}

func newBig(t testing.TB, size int) *big {
	b := &big{world: newWorld(t, 0)}
	b.hashes = make([]tlog.Hash, 0, 2*size)
	b.export.Grow(size * 200)
	for n := range int64(size) {
		var nonce [32]byte
		binary.BigEndian.PutUint64(nonce[:], uint64(n))
		head := fmt.Sprintf(`{"decision_id":"dec_%d","result":{"allow":true},"custom":{"tenant":"demo","status":200`, n)
		entry := entryOf(n, nonce, []byte(head))
		hashes, err := tlog.StoredHashes(n, entry[:], b)
		if err != nil {
			t.Fatal(err)
		}
		b.hashes, b.entries = append(b.hashes, hashes...), append(b.entries, entry)
		fmt.Fprintf(&b.export, "%s,\"index\":%d,\"nonce\":\"%s\"}}\n", head, n, base64.StdEncoding.EncodeToString(nonce[:]))
	}
	return b
}

func (b *big) root() *checkpoint {
	n := int64(len(b.entries))
	return &checkpoint{Tree: tlog.Tree{N: n, Hash: b.world.root(n)}}
}

// get implements source. As a world has no lines here, paths are read here.
func (b *big) get(path string, _ int64) ([]byte, error) {
	entries := strings.HasPrefix(path, "tile/entries/")
	t, err := tlog.ParseTilePath(strings.Replace(strings.Replace(path, "tile/entries/", "tile/0/", 1), "tile/", "tile/8/", 1))
	if err != nil {
		return nil, fs.ErrNotExist
	}
	if !entries {
		return tlog.ReadTileData(t, b)
	}
	var data []byte
	for _, e := range b.entries[t.N*256 : t.N*256+int64(t.W)] {
		data = append(append(data, 0, 32), e[:]...)
	}
	return data, nil
}

// app is a program that says nothing.
func (b *big) app() *app {
	return &app{out: io.Discard, errors: io.Discard, report: &report{w: io.Discard}}
}

func (b *big) checkExport(t testing.TB, log source, each func(int64)) {
	a := b.app()
	e := &lines{report: a.report, c: b.root(), whole: true, strict: true, count: map[kind]int64{}, last: -1, at: -1}
	if log != nil {
		e.tiles = a.tiles(log, nil)
	}
	err := eachLine(bytes.NewReader(b.export.Bytes()), func(n int64, line []byte) error {
		each(n)
		return e.check(n, line)
	})
	e.finish()
	if err != nil || a.report.count > 0 || e.tree.size != int64(len(b.entries)) {
		t.Fatal(err, a.report.findings, e.tree.size)
	}
}

func (b *big) checkLog(t testing.TB) {
	a := b.app()
	if err := a.walk(a.tiles(b, nil), b.root(), &frontier{}); err != nil || a.report.count > 0 {
		t.Fatal(err, a.report.findings)
	}
}

// TestAMillionLeaves prints how long a million takes; it holds the program only
// to constant memory, and to ten times the work for ten times the leaves.
func TestAMillionLeaves(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	took := func(f func()) time.Duration {
		before := time.Now()
		f()
		return time.Since(before)
	}
	nothing := func(int64) {}
	size := million
	if slowed {
		size /= 10
	}
	tenth, all := newBig(t, size/10), newBig(t, size)
	small := took(func() { tenth.checkExport(t, nil, nothing) })
	export := took(func() { all.checkExport(t, nil, nothing) })
	log := took(func() { all.checkLog(t) })
	t.Logf("%d leaves: as an export %v, as tiles and entries %v", size, export, log)
	if export > 40*small {
		t.Errorf("a tenth of the lines takes %v, and all %v", small, export)
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	begin := heap()
	all.checkExport(t, all, func(n int64) {
		if n%50_000 == 0 {
			if grown := heap() - begin; grown > 16<<20 {
				t.Errorf("after %d lines it holds %d bytes", n, grown)
			}
		}
	})
}

// The figures: GOMAXPROCS=1 go test -run '^$' -bench . ./cmd/pointgate-verify
func BenchmarkMillion(b *testing.B) {
	log := newBig(b, million)
	b.Run("export", func(b *testing.B) {
		b.SetBytes(int64(log.export.Len()))
		for b.Loop() {
			log.checkExport(b, nil, func(int64) {})
		}
	})
	b.Run("export-with-tiles", func(b *testing.B) {
		for b.Loop() {
			log.checkExport(b, log, func(int64) {})
		}
	})
	b.Run("log", func(b *testing.B) {
		for b.Loop() {
			log.checkLog(b)
		}
	})
}

func BenchmarkProof(b *testing.B) {
	log := newBig(b, million)
	log.lines = strings.SplitAfterN(log.export.String(), "\n", 1001)
	log.lines[999] = strings.TrimSuffix(log.lines[999], "\n")
	file := log.file("p", log.proof(999, million))
	for b.Loop() {
		if code, out := log.run("proof", file); code != 0 {
			b.Fatal(out)
		}
	}
}
