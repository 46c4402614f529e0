package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"
)

// The index cuts the log into chunks: a record's place in its chunk is a number
// of 16 bits, and what a chunk has of one value is a set of such numbers.
const (
	chunkBits = 16
	chunkSize = 1 << chunkBits
)

// bitmap is such a set as lists and counts work with it.
type bitmap [chunkSize / 64]uint64

func (m *bitmap) set(low int) { m[low/64] |= 1 << (low % 64) }

func (m *bitmap) has(low int) bool { return m[low/64]&(1<<(low%64)) != 0 }

// fill sets the numbers of [from, to).
func (m *bitmap) fill(from, to int) {
	for ; from < to && from%64 != 0; from++ {
		m.set(from)
	}
	for ; from+64 <= to; from += 64 {
		m[from/64] = ^uint64(0)
	}
	for ; from < to; from++ {
		m.set(from)
	}
}

func (m *bitmap) and(other *bitmap) {
	for i := range m {
		m[i] &= other[i]
	}
}

func (m *bitmap) andNot(other *bitmap) {
	for i := range m {
		m[i] &^= other[i]
	}
}

// each calls fn with the numbers, the largest first if down, until it says no.
func (m *bitmap) each(down bool, fn func(low int) bool) {
	for i := range m {
		at := i
		if down {
			at = len(m) - 1 - i
		}
		for w := m[at]; w != 0; {
			bit := bits.TrailingZeros64(w)
			if down {
				bit = 63 - bits.LeadingZeros64(w)
			}
			w &^= 1 << bit
			if !fn(at*64 + bit) {
				return
			}
		}
	}
}

// longestList is how many numbers are kept one by one: more are a bitmap, which
// is as long as a list of that many.
const longestList = chunkSize / 8 / 2

// appendLows writes a set, ascending, behind its length.
func appendLows(b []byte, lows []uint16) []byte {
	b = binary.AppendUvarint(b, uint64(len(lows)))
	if len(lows) <= longestList {
		for _, low := range lows {
			b = binary.LittleEndian.AppendUint16(b, low)
		}
		return b
	}
	var m bitmap
	for _, low := range lows {
		m.set(int(low))
	}
	for _, w := range m {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

// sizeOfLows is how many bytes a set of n numbers has behind its length.
func sizeOfLows(n uint64) uint64 {
	if n <= longestList {
		return 2 * n
	}
	return chunkSize / 8
}

// readLows adds a set of n numbers to m.
func (m *bitmap) readLows(b []byte, n int) {
	if n > longestList {
		for i := range m {
			m[i] |= binary.LittleEndian.Uint64(b[8*i:])
		}
		return
	}
	for ; len(b) >= 2; b = b[2:] {
		m.set(int(binary.LittleEndian.Uint16(b)))
	}
}

// lows is the same set as a list.
func lows(b []byte, n int) []uint16 {
	out := make([]uint16, 0, n)
	if n <= longestList {
		for ; len(b) >= 2; b = b[2:] {
			out = append(out, binary.LittleEndian.Uint16(b))
		}
		return out
	}
	var m bitmap
	m.readLows(b, n)
	m.each(false, func(low int) bool { out = append(out, uint16(low)); return true })
	return out
}

// errIndex says that the index can't be relied on: it is made anew.
var errIndex = errors.New("the search index is broken")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// withSum ends a blob of the index with a checksum over it and its row's key: a
// bit that the disk turned would hide records from lists without a word.
func withSum(row int64, b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, rowSum(row, b))
}

func rowSum(row int64, b []byte) uint32 {
	var key [8]byte
	binary.LittleEndian.PutUint64(key[:], uint64(row))
	return crc32.Update(crc32.Checksum(key[:], castagnoli), castagnoli, b)
}

// checked takes the checksum off again.
func checked(row int64, b []byte) ([]byte, error) {
	n := len(b) - 4
	if n < 0 || binary.LittleEndian.Uint32(b[n:]) != rowSum(row, b[:n]) {
		return nil, errIndex
	}
	return b[:n:n], nil
}
