package authn

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// The prefixes of API keys: they tell a person, and a scanner for leaked
// secrets, what was found.
const (
	KeyPrefix   = "pgk_" // of a client's key
	TokenPrefix = "pgt_" // of a person's token
)

// A secret is its prefix, 16 characters that name its row, 43 that nobody can
// guess (256 bits), and 6 of CRC-32 over all before them. The checksum is no
// protection: it lets a scanner, and us, drop what was never a key for free.
const (
	idChars     = 16
	secretChars = 43
	sumChars    = 6
)

// kinds are the rows' kinds and the prefixes of their ids.
var kinds = map[string]struct{ kind, id string }{
	KeyPrefix:   {store.KindKey, "key_"},
	TokenPrefix: {store.KindToken, "tok_"},
}

// NewKey makes the secret of an API key, KeyPrefix or TokenPrefix, and its row
// with ID, Kind and Hash set. The secret is shown once and never kept.
func NewKey(prefix string) (secret string, row store.APIKey) {
	id := random62(idChars)
	body := prefix + id + random62(secretChars)
	secret = body + checksum(body)
	k := kinds[prefix]
	return secret, store.APIKey{ID: k.id + id, Kind: k.kind, Hash: digest(secret)}
}

// rowID names the row of a secret; false if the secret was never made by us.
func rowID(secret string) (id string, ok bool) {
	if len(secret) != len(KeyPrefix)+idChars+secretChars+sumChars {
		return "", false
	}
	prefix, end := secret[:len(KeyPrefix)], len(secret)-sumChars
	k, known := kinds[prefix]
	if !known || checksum(secret[:end]) != secret[end:] {
		return "", false
	}
	return k.id + secret[len(prefix):len(prefix)+idChars], true
}

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func checksum(s string) string {
	n := crc32.ChecksumIEEE([]byte(s))
	var out [sumChars]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = base62[n%62]
		n /= 62
	}
	return string(out[:])
}

// random62 draws n characters. Bytes from 248 on are drawn again: 256 is no
// multiple of 62, and the first characters would come up too often.
func random62(n int) string {
	var b strings.Builder
	var raw [64]byte
	for {
		_, _ = rand.Read(raw[:]) // never fails: see crypto/rand
		for _, x := range raw {
			if x >= 248 {
				continue
			}
			b.WriteByte(base62[x%62])
			if b.Len() == n {
				return b.String()
			}
		}
	}
}
