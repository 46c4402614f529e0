package trail

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Key signs the checkpoints of a log. It is one Ed25519 key with two voices, as
// C2SP tlog-cosignature permits: a plain signature of the text (type 0x01), which
// every client knows, and a cosignature/v1 (type 0x04), which carries the time.
// What each of them signs begins differently, so neither can stand for the other.
type Key struct {
	name    string
	private ed25519.PrivateKey
}

const (
	typeEd25519  = 0x01
	typeCosigner = 0x04
)

// ErrKey says that there can be no key of a name or seed.
var ErrKey = errors.New("trail: no name or seed of a log's key")

// NewKey makes a key for the log of this origin.
func NewKey(origin string) (Key, error) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return Key{}, err
	}
	return OpenKey(origin, private.Seed())
}

// OpenKey is the key of a seed of 32 bytes.
func OpenKey(origin string, seed []byte) (Key, error) {
	// The text that is signed must not begin like a cosignature's.
	if origin == "" || origin == "cosignature/v1" || strings.ContainsAny(origin, "+ \t\r\n") || len(seed) != ed25519.SeedSize {
		return Key{}, ErrKey
	}
	return Key{name: origin, private: ed25519.NewKeyFromSeed(seed)}, nil
}

// Name is the origin of the log that the key signs for.
func (k Key) Name() string { return k.name }

// Seed is the secret part.
func (k Key) Seed() []byte { return k.private.Seed() }

// Verifier is the vkey (C2SP signed-note) of the plain signature: what auditors
// are given.
func (k Key) Verifier() string {
	public := append([]byte{typeEd25519}, k.public()...)
	return fmt.Sprintf("%s+%08x+%s", k.name, keyID(k.name, typeEd25519, k.public()), base64.StdEncoding.EncodeToString(public))
}

func (k Key) public() ed25519.PublicKey { return k.private.Public().(ed25519.PublicKey) }

// signers are the two voices, the timed one at this time.
func (k Key) signers(at time.Time) []note.Signer {
	timed := func(text []byte) []byte {
		sig := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
		return append(sig, ed25519.Sign(k.private, cosigned(uint64(at.Unix()), text))...)
	}
	return []note.Signer{
		&signer{k.name, keyID(k.name, typeEd25519, k.public()), func(text []byte) []byte { return ed25519.Sign(k.private, text) }},
		&signer{k.name, keyID(k.name, typeCosigner, k.public()), timed},
	}
}

// cosigned is what a cosignature/v1 signs.
func cosigned(at uint64, text []byte) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// keyID is the first four bytes of SHA-256(name, newline, type, public key).
func keyID(name string, kind byte, public []byte) uint32 {
	b := append([]byte(name), '\n', kind)
	sum := sha256.Sum256(append(b, public...))
	return binary.BigEndian.Uint32(sum[:])
}

// signer implements [note.Signer].
type signer struct {
	name string
	id   uint32
	sign func(text []byte) []byte
}

func (s *signer) Name() string                     { return s.name }
func (s *signer) KeyHash() uint32                  { return s.id }
func (s *signer) Sign(text []byte) ([]byte, error) { return s.sign(text), nil }

// clock verifies the timed signatures of a log's key. It implements [note.Verifier].
type clock struct {
	name   string
	id     uint32
	public ed25519.PublicKey
}

func (c *clock) Name() string    { return c.name }
func (c *clock) KeyHash() uint32 { return c.id }

func (c *clock) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize || binary.BigEndian.Uint64(sig) > math.MaxInt64 {
		return false
	}
	return ed25519.Verify(c.public, cosigned(binary.BigEndian.Uint64(sig), text), sig[8:])
}

// verifiers are the two of a vkey: of the plain signature and of the timed one.
func verifiers(vkey string) (plain note.Verifier, timed *clock, err error) {
	plain, err = note.NewVerifier(vkey) // Ed25519 alone, with the right id
	if err != nil {
		return nil, nil, err
	}
	_, rest, _ := strings.Cut(vkey, "+")
	_, key64, _ := strings.Cut(rest, "+") // which may have a plus itself
	raw, err := base64.StdEncoding.DecodeString(key64)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return nil, nil, ErrKey // NewVerifier has looked: can't be
	}
	public := ed25519.PublicKey(raw[1:])
	return plain, &clock{plain.Name(), keyID(plain.Name(), typeCosigner, public), public}, nil
}

// signedAt is the time in a verified timed signature.
func signedAt(s note.Signature) time.Time {
	raw, err := base64.StdEncoding.DecodeString(s.Base64)
	if err != nil || len(raw) < 4+8 {
		return time.Time{}
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC()
}

// Cosigner verifies the cosignatures (cosignature/v1, Ed25519) of a witness. Its
// vkey is of type 0x04, or 0x01 for the same key.
func Cosigner(vkey string) (note.Verifier, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	id, key64, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.Strict().DecodeString(key64)
	if err != nil || name == "" || strings.ContainsAny(name, " \t\r\n") || len(raw) != 1+ed25519.PublicKeySize {
		return nil, ErrKey
	}
	kind, public := raw[0], ed25519.PublicKey(raw[1:])
	if kind != typeEd25519 && kind != typeCosigner || id != fmt.Sprintf("%08x", keyID(name, kind, public)) {
		return nil, ErrKey
	}
	return &clock{name, keyID(name, typeCosigner, public), public}, nil
}
