package trail

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"
)

// Entry is what the tree holds of one record.
type Entry [32]byte

// Nonce keeps an entry from telling anything about its body.
type Nonce [32]byte

// NewNonce makes one.
func NewNonce() (n Nonce) {
	_, _ = rand.Read(n[:]) // crypto/rand.Read never fails
	return n
}

// Commitment is what a record is bound to before its place is known.
type Commitment [32]byte

// domain keeps a commitment from being mistaken for a hash of something else.
const domain = "pointgate-record-v1\n"

// Commit binds a body under a nonce.
func Commit(n Nonce, body []byte) (c Commitment) {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(n[:])
	h.Write(body)
	h.Sum(c[:0])
	return c
}

// At is the entry of what was committed to, at an index: the same record at
// another place has another entry, so one that was moved shows itself.
func (c Commitment) At(index int64) Entry {
	var b [8 + len(c)]byte
	binary.BigEndian.PutUint64(b[:8], uint64(index))
	copy(b[8:], c[:])
	return sha256.Sum256(b[:])
}

// Leaf is the hash of the entry's leaf (RFC 6962, section 2.1).
func (e Entry) Leaf() tlog.Hash { return tlog.RecordHash(e[:]) }

// MarshalText implements [encoding.TextMarshaler]: standard base64.
func (e Entry) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, e[:]), nil
}
