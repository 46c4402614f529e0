package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const million = 1_000_000

var speed = flag.Bool("speed", false, "measure how fast a million leaves are checked")

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

// TestAMillionLeaves holds the program to constant memory. How long it takes is
// for TestSpeed: a clock on a busy machine proves nothing.
func TestAMillionLeaves(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short, and it takes some seconds")
	}
	size := million
	if slowed {
		size /= 10
	}
	all := newBig(t, size)
	all.checkLog(t)
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

// TestSpeed is make verify-speed: a million lines within ten seconds, and one
// proof within ten milliseconds, on one core.
func TestSpeed(t *testing.T) {
	if !*speed {
		t.Skip("skipped: it needs a machine to itself; make verify-speed runs it")
	}
	const mostExport, mostOne, tries = 10 * time.Second, 10 * time.Millisecond, 101
	log := newBig(t, million)
	begin := time.Now()
	log.checkExport(t, nil, func(int64) {})
	export := time.Since(begin)
	file := log.oneProof()
	took := make([]time.Duration, tries)
	for i := range took {
		begin := time.Now()
		if code, out := log.run("proof", file); code != 0 {
			t.Fatal(out)
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	one := took[tries/2]
	t.Logf("%d leaves as an export: %v (at most %v); one proof: %v (at most %v)", million, export.Round(time.Millisecond), mostExport, one.Round(time.Microsecond), mostOne)
	if slowed || export > mostExport || one > mostOne {
		t.Error("too slow, or with the race detector")
	}
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

// oneProof is a file with the proof of a record.
func (b *big) oneProof() string {
	b.lines = strings.SplitAfterN(b.export.String(), "\n", 1001)
	b.lines[999] = strings.TrimSuffix(b.lines[999], "\n")
	return b.file("p", b.proof(999, int64(len(b.entries))))
}

func BenchmarkProof(b *testing.B) {
	log := newBig(b, million)
	file := log.oneProof()
	for b.Loop() {
		if code, out := log.run("proof", file); code != 0 {
			b.Fatal(out)
		}
	}
}
