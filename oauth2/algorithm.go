package oauth2

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"math/big"
)

// algorithm is one way to sign tokens.
type algorithm struct {
	generate func() (crypto.Signer, error)
	sign     func(key crypto.Signer, text []byte) ([]byte, error)
	verify   func(key crypto.PublicKey, text, signature []byte) bool
	half     func(text string) []byte // the left half of the hash that goes with it, for at_hash
}

const (
	defaultAlg = "ES256"
	rsaBits    = 2048
	p256Bytes  = 32
)

// algorithms are those of [SigningAlgs]; of EdDSA, Ed25519.
var algorithms = map[string]algorithm{
	"ES256": {
		generate: func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		sign:     signES256, verify: verifyES256, half: half256,
	},
	"RS256": {
		generate: func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, rsaBits) },
		sign: func(key crypto.Signer, text []byte) ([]byte, error) {
			sum := sha256.Sum256(text)
			return key.Sign(rand.Reader, sum[:], crypto.SHA256)
		},
		verify: func(key crypto.PublicKey, text, signature []byte) bool {
			k, ok := key.(*rsa.PublicKey)
			sum := sha256.Sum256(text)
			return ok && rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) == nil
		},
		half: half256,
	},
	"EdDSA": {
		generate: func() (crypto.Signer, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		},
		sign: func(key crypto.Signer, text []byte) ([]byte, error) {
			return key.Sign(rand.Reader, text, crypto.Hash(0))
		},
		verify: func(key crypto.PublicKey, text, signature []byte) bool {
			k, ok := key.(ed25519.PublicKey)
			return ok && ed25519.Verify(k, text, signature)
		},
		half: func(text string) []byte {
			sum := sha512.Sum512([]byte(text))
			return sum[:sha512.Size/2]
		},
	},
}

// signES256 writes the signature as two numbers of 32 bytes (RFC 7518 §3.4), not
// in ASN.1.
func signES256(key crypto.Signer, text []byte) ([]byte, error) {
	k, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errKeyType
	}
	sum := sha256.Sum256(text)
	r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
	if err != nil {
		return nil, err
	}
	out := make([]byte, 2*p256Bytes)
	r.FillBytes(out[:p256Bytes])
	s.FillBytes(out[p256Bytes:])
	return out, nil
}

func verifyES256(key crypto.PublicKey, text, signature []byte) bool {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok || len(signature) != 2*p256Bytes {
		return false
	}
	sum := sha256.Sum256(text)
	r, s := new(big.Int).SetBytes(signature[:p256Bytes]), new(big.Int).SetBytes(signature[p256Bytes:])
	return ecdsa.Verify(k, sum[:], r, s)
}

func half256(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:sha256.Size/2]
}

// ownJWK is a public key of ours as it is published (RFC 7517, RFC 7518 §6, RFC
// 8037).
type ownJWK struct {
	Kty string `json:"kty"`
	Use string `json:"use"`
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
}

var errKeyType = errors.New("oauth2: this is no key of the algorithm")

// ownPublicJWK is the JWK of a public key of ours.
func ownPublicJWK(kid, alg string, key crypto.PublicKey) (string, error) {
	out := ownJWK{Use: "sig", Alg: alg, Kid: kid}
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, X, Y
		if err != nil || len(point) != 1+2*p256Bytes {
			return "", errKeyType
		}
		out.Kty, out.Crv, out.X, out.Y = "EC", "P-256", encode(point[1:1+p256Bytes]), encode(point[1+p256Bytes:])
	case *rsa.PublicKey:
		out.Kty, out.N, out.E = "RSA", encode(k.N.Bytes()), encode(big.NewInt(int64(k.E)).Bytes())
	case ed25519.PublicKey:
		out.Kty, out.Crv, out.X = "OKP", "Ed25519", encode(k)
	default:
		return "", errKeyType
	}
	raw, err := json.Marshal(out)
	return string(raw), err
}
