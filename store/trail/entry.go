package trail

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

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

// domain keeps an entry from being mistaken for a hash of something else.
const domain = "pointgate-record-v1\n"

// Commit is the entry of a body under a nonce.
func Commit(n Nonce, body []byte) (e Entry) {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(n[:])
	h.Write(body)
	h.Sum(e[:0])
	return e
}

// Leaf is the hash of the entry's leaf (RFC 6962, section 2.1).
func (e Entry) Leaf() tlog.Hash { return tlog.RecordHash(e[:]) }

// MarshalText implements [encoding.TextMarshaler]: standard base64.
func (e Entry) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, e[:]), nil
}
