package store

import (
	"encoding/binary"
	"slices"
)

// A slot is a row of the index: the sets of those keys of a chunk that have the
// same number, each behind the rest of its key, ascending.

// slotRow is the row's primary key.
func slotRow(chunk, slot int64) int64 { return chunk<<slotBits | slot }

// slotReader reads the sets of a slot, one after the other.
type slotReader struct {
	b    []byte
	rest uint64
	n    int
	set  []byte
	head []byte // the whole entry
	bad  bool
}

// next moves to the next set; false at the end, or where it can't be read.
func (s *slotReader) next() bool {
	if len(s.b) == 0 {
		return false
	}
	entry := s.b
	if len(s.b) < 5 {
		return s.broken()
	}
	s.rest = uint64(s.b[0])<<32 | uint64(binary.BigEndian.Uint32(s.b[1:]))
	n, size := binary.Uvarint(s.b[5:])
	if size <= 0 || n == 0 || n > chunkSize || sizeOfLows(n) > uint64(len(s.b)-5-size) {
		return s.broken()
	}
	end := 5 + size + int(sizeOfLows(n))
	s.n, s.set, s.head, s.b = int(n), s.b[5+size:end], entry[:end], s.b[end:]
	return true
}

func (s *slotReader) broken() bool {
	s.bad, s.b = true, nil
	return false
}

func appendEntry(b []byte, rest uint64, lows []uint16) []byte {
	b = append(b, byte(rest>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(rest))
	return appendLows(b, lows)
}

// posting says that the record at low has the key.
type posting struct {
	key   indexKey
	low   uint16
	field field
}

// comparePostings orders by key, then by place.
func comparePostings(a, b posting) int {
	switch {
	case a.key != b.key && a.key < b.key, a.key == b.key && a.low < b.low:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// group is the postings of one key, and how many numbers its set has with them.
type group struct {
	postings []posting
	total    int
}

// groupPostings cuts sorted postings where the key changes.
func groupPostings(all []posting) (out []group) {
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].key == all[0].key {
			n++
		}
		out, all = append(out, group{postings: all[:n]}), all[n:]
	}
	return out
}

// mergeSlot adds groups, ascending, to a slot, and notes their totals. The new
// numbers are above those that are there.
func mergeSlot(was []byte, groups []group) ([]byte, error) {
	out := make([]byte, 0, len(was)+8*len(groups))
	old := slotReader{b: was}
	more := old.next()
	var fresh []uint16
	for i := range groups {
		g := &groups[i]
		rest := g.postings[0].key.rest()
		for more && old.rest < rest {
			out = append(out, old.head...)
			more = old.next()
		}
		fresh = fresh[:0]
		if more && old.rest == rest {
			fresh = append(fresh, lows(old.set, old.n)...)
			more = old.next()
		}
		for _, p := range g.postings {
			fresh = append(fresh, p.low)
		}
		fresh = slices.Compact(fresh) // two values of one record may share a key
		g.total = len(fresh)
		out = appendEntry(out, rest, fresh)
	}
	for more {
		out = append(out, old.head...)
		more = old.next()
	}
	if old.bad {
		return nil, errIndex
	}
	return out, nil
}
