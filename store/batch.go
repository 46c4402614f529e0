package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pointgate/pointgate/store/trail"
)

// batch is one row of the log: records that were committed together.
type batch struct {
	First   int64  `db:"first"`
	Count   int64  `db:"count"`
	Entries []byte `db:"entries"`
	Keys    []byte `db:"keys"`
	Bodies  []byte `db:"bodies"`
}

// maxBatch is how many bytes of bodies end a row: what is read for one record's sake.
const maxBatch = 128 << 10

// full says that the next record begins another row.
func (b *batch) full() bool { return len(b.Bodies) >= maxBatch }

const (
	flagAllow byte = 1 << iota
	flagErased
)

// add appends a record, which is the batch's next.
func (b *batch) add(r *Record) {
	b.Count++
	b.Entries = append(b.Entries, r.Entry[:]...)
	b.Keys = appendKeys(b.Keys, r)
	b.Bodies = appendBody(b.Bodies, r)
}

func appendKeys(b []byte, r *Record) []byte {
	var flags byte
	if r.Allow {
		flags |= flagAllow
	}
	if r.Erased {
		flags |= flagErased
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, r.At.UnixMicro())
	b = binary.AppendUvarint(b, uint64(r.Status))
	rules, _ := r.Rules.Value() // joins words: can't fail
	for _, s := range []string{
		r.ID, r.Tenant, r.Subject, r.Client, r.Action, r.Resource, r.Related,
		r.Code, r.Request, r.Grant, r.IP, rules.(string), r.ErasedBy,
	} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

func appendBody(b []byte, r *Record) []byte {
	b = binary.AppendUvarint(b, uint64(len(r.Body)))
	if len(r.Body) == 0 {
		return b
	}
	b = append(b, r.Nonce[:]...)
	return append(b, r.Body...)
}

var errBatch = errors.New("a batch can't be read")

// records unpacks the row. Where a record can't be read, those before it are
// returned with an error that names its index.
func (b *batch) records() ([]Record, error) {
	out := make([]Record, 0, min(max(b.Count, 0), 4096))
	keys, bodies := unpacker{b: b.Keys}, unpacker{b: b.Bodies}
	for i := range b.Count {
		r := Record{Index: b.First + i}
		if copy(r.Entry[:], b.Entries[min(max(i*32, 0), int64(len(b.Entries))):]) != len(r.Entry) {
			return out, fmt.Errorf("%w: index %d has no entry", errBatch, r.Index)
		}
		keys.keys(&r)
		bodies.body(&r)
		if keys.bad || bodies.bad || r.Erased != (len(r.Body) == 0) {
			return out, fmt.Errorf("%w: index %d", errBatch, r.Index)
		}
		out = append(out, r)
	}
	if len(keys.b) > 0 || len(bodies.b) > 0 || int64(len(b.Entries)) != b.Count*int64(len(trail.Entry{})) {
		return out, fmt.Errorf("%w: there is more in the row of %d than its %d records", errBatch, b.First, b.Count)
	}
	return out, nil
}

// unpacker reads from the front of b until something is missing.
type unpacker struct {
	b   []byte
	bad bool
}

func (u *unpacker) keys(r *Record) {
	flags := u.bytes(1)
	at, n := binary.Varint(u.b)
	u.skip(n)
	status := u.uvarint()
	if u.bad {
		return
	}
	r.Allow, r.Erased = flags[0]&flagAllow != 0, flags[0]&flagErased != 0
	r.At, r.Status = fromMicros(at), int(status)
	var rules string
	for _, s := range []*string{
		&r.ID, &r.Tenant, &r.Subject, &r.Client, &r.Action, &r.Resource, &r.Related,
		&r.Code, &r.Request, &r.Grant, &r.IP, &rules, &r.ErasedBy,
	} {
		*s = string(u.bytes(u.uvarint()))
	}
	_ = r.Rules.Scan(rules) // of a string: can't fail
}

// body aliases the row: the records of a batch share its memory.
func (u *unpacker) body(r *Record) {
	size := u.uvarint()
	if size == 0 {
		return
	}
	copy(r.Nonce[:], u.bytes(uint64(len(r.Nonce))))
	r.Body = u.bytes(size)
}

func (u *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint(u.b)
	u.skip(n)
	return v
}

func (u *unpacker) skip(n int) {
	if n <= 0 {
		u.bad, n = true, 0
	}
	u.b = u.b[n:]
}

func (u *unpacker) bytes(n uint64) []byte {
	if u.bad || n > uint64(len(u.b)) {
		u.bad = true
		return make([]byte, min(n, 1)) // never looked at
	}
	out := u.b[:n:n]
	u.b = u.b[n:]
	return out
}
