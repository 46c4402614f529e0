package oauth2

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"strconv"
)

// sealer encrypts and authenticates with AES-256-GCM under a random nonce. What
// a sealed thing belongs to is named in its context, without which it doesn't
// open.
type sealer struct{ key []byte }

var errSealed = errors.New("oauth2: this does not open")

func (s sealer) seal(plain []byte, context ...string) []byte {
	return s.aead().Seal(nil, nil, plain, bind(context))
}

func (s sealer) open(sealed []byte, context ...string) ([]byte, error) {
	a := s.aead()
	if len(sealed) < a.Overhead() {
		return nil, errSealed
	}
	plain, err := a.Open(nil, nil, sealed, bind(context))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

func (s sealer) aead() cipher.AEAD {
	block, err := aes.NewCipher(s.key)
	if err != nil {
		panic(err) // the key is always 32 bytes
	}
	a, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for block sizes that are not AES's
	}
	return a
}

// bind writes the context so that no two lists give the same bytes.
func bind(context []string) []byte {
	var b []byte
	for _, c := range context {
		b = append(strconv.AppendInt(b, int64(len(c)), 10), ':')
		b = append(b, c...)
	}
	return b
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func decode(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }
