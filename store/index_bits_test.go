package store

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// someLows are n numbers below chunkSize, ascending.
func someLows(r *rand.Rand, n int) []uint16 {
	out := make([]uint16, 0, n)
	for _, low := range r.Perm(chunkSize)[:n] {
		out = append(out, uint16(low))
	}
	slices.Sort(out)
	return out
}

func TestSetsAreReadAsTheyWereWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{1, 2, longestList - 1, longestList, longestList + 1, chunkSize - 1, chunkSize} {
		want := someLows(r, n)
		s := slotReader{b: appendEntry(nil, 1<<restBits-1, want)}
		if !s.next() || s.rest != 1<<restBits-1 || s.n != n || s.bad {
			t.Fatalf("%d numbers: %+v", n, s)
		}
		if diff := cmp.Diff(want, lows(s.set, s.n)); diff != "" {
			t.Errorf("%d numbers as a list: %s", n, diff)
		}
		var m bitmap
		m.readLows(s.set, s.n)
		for _, down := range []bool{false, true} {
			var got []uint16
			m.each(down, func(low int) bool { got = append(got, uint16(low)); return true })
			if down {
				slices.Reverse(got)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d numbers as a bitmap, down %v: %s", n, down, diff)
			}
		}
		if m.count() != int64(n) {
			t.Errorf("%d numbers, counted %d", n, m.count())
		}
	}
}

// TestSlotsGrow: whatever keys come, in whatever parts, a slot has them all.
func TestSlotsGrow(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	want := map[uint64][]uint16{}
	var slot []byte
	for low := 0; low < 20_000; {
		var postings []posting
		for range 1 + r.IntN(3000) {
			p := posting{key: indexKey(r.IntN(40)), low: uint16(low)}
			if r.IntN(3) > 0 {
				p.key = 7 // one of them becomes a bitmap
			}
			postings = append(postings, p)
			want[p.key.rest()] = append(want[p.key.rest()], p.low)
			low++
		}
		slices.SortFunc(postings, comparePostings)
		var err error
		if slot, err = mergeSlot(slot, groupPostings(postings)); err != nil {
			t.Fatal(err)
		}
	}
	got := map[uint64][]uint16{}
	last := -1
	s := slotReader{b: slot}
	for s.next() {
		if int(s.rest) <= last {
			t.Errorf("key %d behind %d", s.rest, last)
		}
		last, got[s.rest] = int(s.rest), lows(s.set, s.n)
	}
	if diff := cmp.Diff(want, got); diff != "" || s.bad {
		t.Error(s.bad, diff)
	}
}

func TestBitmapsAreFilled(t *testing.T) {
	for _, c := range [][2]int{{0, 0}, {0, 1}, {3, 64}, {63, 65}, {0, chunkSize}, {256, 512}, {100, 1000}, {65535, 65536}} {
		var m bitmap
		m.fill(c[0], c[1])
		for low := range chunkSize {
			if want := low >= c[0] && low < c[1]; m.has(low) != want {
				t.Fatalf("%v: %d is %v", c, low, !want)
			}
		}
	}
}

// FuzzSlot: no bytes make the reader go beyond them.
func FuzzSlot(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendEntry(appendEntry(nil, 5, []uint16{1, 2}), 6, []uint16{9}))
	f.Add([]byte{0, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := slotReader{b: b}
		size := 0
		for s.next() {
			size += len(s.head)
			if s.n < 1 || s.n > chunkSize || uint64(len(s.set)) != sizeOfLows(uint64(s.n)) {
				t.Fatalf("%d numbers in %d bytes", s.n, len(s.set))
			}
			new(bitmap).readLows(s.set, s.n)
		}
		if !s.bad && size != len(b) {
			t.Errorf("read %d of %d bytes", size, len(b))
		}
	})
}

// FuzzTimes: what is behind a right checksum may still be no times.
func FuzzTimes(f *testing.F) {
	good := packTimes(3, []int64{1, -5, 1 << 60})
	f.Add(good[:len(good)-4])
	f.Fuzz(func(t *testing.T, b []byte) {
		at, err := unpackTimes(3, withSum(3, slices.Clone(b)))
		if err == nil && len(at) > spanSize {
			t.Errorf("%d times in a span", len(at))
		}
		row := chunkRow{Chunk: 9, Times: withSum(9, slices.Clone(b)), IDs: withSum(9, slices.Clone(b))}
		spans, err := row.times()
		if err == nil {
			_ = row.ids(spans)
		}
	})
}

// TestARotBitIsSeen in each place of a row, and a row in another's place.
func TestARotBitIsSeen(t *testing.T) {
	row := withSum(8, []byte("what the index keeps"))
	if _, err := checked(8, row); err != nil {
		t.Fatal(err)
	}
	if _, err := checked(9, row); err == nil {
		t.Error("the row of another key is good")
	}
	for i := range len(row) * 8 {
		bad := slices.Clone(row)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := checked(8, bad); err == nil {
			t.Errorf("bit %d can turn", i)
		}
	}
}
