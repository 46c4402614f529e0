package trail_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/pointgate/pointgate/store/trail"
)

// log is a tree kept both ways: ours, and as tlog stores every hash.
type log struct {
	tree   trail.Frontier
	leaves []tlog.Hash
	nodes  map[int][]tlog.Hash
	stored []tlog.Hash
}

func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = l.stored[index]
	}
	return out, nil
}

func (l *log) add(t interface{ Fatal(...any) }) {
	n := int64(len(l.leaves))
	entry := trail.Commit(trail.Nonce{}, binary.BigEndian.AppendUint64(nil, uint64(n))).At(n)
	hashes, err := tlog.StoredHashesForRecordHash(n, entry.Leaf(), l)
	if err != nil {
		t.Fatal(err)
	}
	l.stored = append(l.stored, hashes...)
	l.leaves = append(l.leaves, entry.Leaf())
	for _, node := range l.tree.Append(entry.Leaf()) {
		if int64(len(l.nodes[node.Level])) != node.N {
			t.Fatal("a node out of its order")
		}
		l.nodes[node.Level] = append(l.nodes[node.Level], node.Hash)
	}
}

func (l *log) reader() trail.Reader {
	cut := func(row []tlog.Hash, from, to int64) ([]tlog.Hash, error) {
		return append([]tlog.Hash(nil), row[min(from, int64(len(row))):min(to, int64(len(row)))]...), nil
	}
	return trail.Reader{
		Leaves: func(from, to int64) ([]tlog.Hash, error) { return cut(l.leaves, from, to) },
		Nodes:  func(level int, from, to int64) ([]tlog.Hash, error) { return cut(l.nodes[level], from, to) },
	}
}

// TestTheTreeIsTlogs: roots, proofs and single hashes are those of
// golang.org/x/mod/sumdb/tlog, for every size across two levels of tiles.
func TestTheTreeIsTlogs(t *testing.T) {
	l := &log{nodes: map[int][]tlog.Hash{}}
	for size := int64(0); size < 70_000; size++ {
		if size < 600 || size%997 == 0 || size&(size-1) == 0 {
			want, err := tlog.TreeHash(size, l)
			if err != nil {
				t.Fatal(err)
			}
			if l.tree.Root() != want {
				t.Fatalf("size %d: another root", size)
			}
			again, err := trail.ParseFrontier(size, l.tree.Bytes())
			if err != nil || again.Root() != want {
				t.Fatalf("size %d: read again: %v", size, err)
			}
		}
		l.add(t)
	}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, int64(len(l.leaves))).Draw(t, "size")
		n := rapid.Int64Range(0, size-1).Draw(t, "n")
		root, err := tlog.TreeHash(size, l.reader())
		if err != nil {
			t.Fatal(err)
		}
		proof, err := tlog.ProveRecord(size, n, l.reader())
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(proof, size, root, n, l.leaves[n]); err != nil {
			t.Fatalf("record %d of %d: %v", n, size, err)
		}
		older, err := tlog.TreeHash(n+1, l)
		if err != nil {
			t.Fatal(err)
		}
		grown, err := tlog.ProveTree(size, n+1, l.reader())
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(grown, size, root, n+1, older); err != nil {
			t.Fatalf("%d to %d: %v", n+1, size, err)
		}
		at := rapid.Int64Range(0, int64(len(l.stored))-1).Draw(t, "stored")
		got, err := l.reader().ReadHashes([]int64{at})
		if err != nil || got[0] != l.stored[at] {
			t.Fatalf("stored hash %d: %v", at, err)
		}
	})
}

func TestAHashThatIsNotThereIsAnError(t *testing.T) {
	l := &log{nodes: map[int][]tlog.Hash{}}
	for range 300 {
		l.add(t)
	}
	for _, index := range []int64{tlog.StoredHashIndex(0, 300), tlog.StoredHashIndex(3, 40), tlog.StoredHashIndex(8, 1)} {
		if _, err := l.reader().ReadHashes([]int64{index}); err == nil {
			t.Errorf("stored hash %d of a tree without it", index)
		}
	}
}

func TestAFrontierOfAnotherSizeIsRefused(t *testing.T) {
	for size, length := range map[int64]int{-1: 0, 0: 32, 3: 32, 4: 64, 5: 63} {
		if _, err := trail.ParseFrontier(size, make([]byte, length)); err == nil {
			t.Errorf("size %d out of %d bytes", size, length)
		}
	}
}

// TestAnEntryBinds: body, nonce and place.
func TestAnEntryBinds(t *testing.T) {
	nonce, body := trail.NewNonce(), []byte(`{"custom":{"tenant":"t"}}`)
	entry := trail.Commit(nonce, body).At(7)
	if trail.Commit(nonce, body).At(7) != entry {
		t.Error("not the same twice")
	}
	if trail.NewNonce() == nonce {
		t.Error("the same nonce twice")
	}
	other := nonce
	other[0] ^= 1
	if trail.Commit(other, body).At(7) == entry || trail.Commit(nonce, body[1:]).At(7) == entry || trail.Commit(nonce, body).At(8) == entry {
		t.Error("something else has the same entry")
	}
	text, err := entry.MarshalText()
	if err != nil || len(text) != 44 || bytes.ContainsAny(text, "-_") {
		t.Errorf("%s, %v: want standard base64", text, err)
	}
}
