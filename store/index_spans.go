package store

import (
	"encoding/binary"
	"strings"
)

// A span is 256 records in a row. The index keeps the earliest and the latest
// time and the least and the greatest id of each, whatever order they come in;
// ids begin with their time, so a span's are close to each other.
const (
	spanBits = 8
	spanSize = 1 << spanBits
)

type span struct {
	from, to int64 // times, in microseconds; to is inclusive
	lo, hi   string
}

func (s *span) add(at int64, id string) {
	if s.from > at {
		s.from = at
	}
	if s.to < at {
		s.to = at
	}
	if s.lo > id {
		s.lo = id
	}
	if s.hi < id {
		s.hi = id
	}
}

func spanOf(at int64, id string) span { return span{at, at, id, id} }

// chunkRow is what the index knows of a chunk's spans, and of all of them as one.
type chunkRow struct {
	Chunk int64  `db:"chunk"`
	From  int64  `db:"from_at"`
	To    int64  `db:"to_at"`
	Lo    []byte `db:"lo_id"`
	Hi    []byte `db:"hi_id"`
	Times []byte `db:"times"`
	IDs   []byte `db:"ids"`
}

func (c *chunkRow) put(spans []span) {
	all := spans[0]
	c.Times, c.IDs = nil, nil
	for _, s := range spans {
		all.add(s.from, s.lo)
		all.add(s.to, s.hi)
		c.Times = binary.LittleEndian.AppendUint64(c.Times, uint64(s.from))
		c.Times = binary.LittleEndian.AppendUint64(c.Times, uint64(s.to))
		c.IDs = binary.AppendUvarint(c.IDs, uint64(len(s.lo)))
		c.IDs = append(c.IDs, s.lo...)
		c.IDs = binary.AppendUvarint(c.IDs, uint64(len(s.hi)))
		c.IDs = append(c.IDs, s.hi...)
	}
	c.From, c.To, c.Lo, c.Hi = all.from, all.to, []byte(all.lo), []byte(all.hi)
	c.Times, c.IDs = withSum(c.Chunk, c.Times), withSum(c.Chunk, c.IDs)
}

// times reads the spans' times; ids adds their ids.
func (c *chunkRow) times() ([]span, error) {
	b, err := checked(c.Chunk, c.Times)
	if err != nil || len(b)%16 != 0 || len(b) > 16*chunkSize/spanSize {
		return nil, errIndex
	}
	out := make([]span, len(b)/16)
	for i := range out {
		out[i].from, out[i].to = int64(binary.LittleEndian.Uint64(b[16*i:])), int64(binary.LittleEndian.Uint64(b[16*i+8:]))
	}
	return out, nil
}

func (c *chunkRow) ids(spans []span) error {
	b, err := checked(c.Chunk, c.IDs)
	if err != nil {
		return err
	}
	u := unpacker{b: b}
	for i := range spans {
		spans[i].lo, spans[i].hi = string(u.bytes(u.uvarint())), string(u.bytes(u.uvarint()))
	}
	if u.bad || len(u.b) > 0 {
		return errIndex
	}
	return nil
}

// meets says whether a record of the span can be in the filter's time and have
// its prefix; within says that each is and has.
func (f *DecisionFilter) meets(s *span) (meets, within bool) {
	meets, within = true, true
	if !f.From.IsZero() {
		from := f.From.UnixMicro()
		meets, within = s.to >= from, s.from >= from
	}
	if !f.To.IsZero() {
		to := f.To.UnixMicro()
		meets, within = meets && s.from < to, within && s.to < to
	}
	if f.Prefix != "" {
		meets = meets && (s.lo <= f.Prefix || strings.HasPrefix(s.lo, f.Prefix)) && s.hi >= f.Prefix
		within = within && strings.HasPrefix(s.lo, f.Prefix) && strings.HasPrefix(s.hi, f.Prefix)
	}
	return meets, within
}

// packTimes writes the times of one span's records.
func packTimes(span int64, at []int64) []byte {
	var b []byte
	last := int64(0)
	for _, t := range at {
		b = binary.AppendVarint(b, t-last)
		last = t
	}
	return withSum(span, b)
}

func unpackTimes(span int64, b []byte) (at []int64, err error) {
	if b, err = checked(span, b); err != nil {
		return nil, err
	}
	last := int64(0)
	for len(b) > 0 {
		d, n := binary.Varint(b)
		if n <= 0 || len(at) == spanSize {
			return nil, errIndex
		}
		last += d
		at, b = append(at, last), b[n:]
	}
	return at, nil
}
