package oauth2

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
)

// NewSecret makes a client secret of 256 random bits. It is shown once; the
// store gets its [HashSecret].
func NewSecret() string { return newSecret("pgs_") }

// NewInitialToken makes an initial access token (RFC 7591 §3), which is kept as
// its [HashSecret] too.
func NewInitialToken() string { return newSecret(initialPrefix) }

// The prefixes of what is shown when a client is registered, and afterwards.
const (
	initialPrefix = "pgi_"
	managePrefix  = "pgm_"
)

func newSecret(prefix string) string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: see crypto/rand
	return prefix + encode(raw)
}

// HashSecret is how a client secret is kept. A fast hash is sound for secrets
// that are too random to be guessed, and keeps the token endpoint from being
// throttled by its own hashing; a secret chosen by a person has no such
// strength and belongs in demos only.
func HashSecret(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// secretHasher is HashSecret as fosite's Hasher.
type secretHasher struct{}

// Hash implements fosite.Hasher.
func (secretHasher) Hash(_ context.Context, secret []byte) ([]byte, error) {
	return HashSecret(string(secret)), nil
}

// Compare implements fosite.Hasher, in constant time.
func (secretHasher) Compare(_ context.Context, hash, secret []byte) error {
	if subtle.ConstantTimeCompare(hash, HashSecret(string(secret))) != 1 {
		return refuse("invalid_client")
	}
	return nil
}
