package oauth2

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
)

var errJWS = errors.New("oauth2: not a signed JWT of a kind that is taken")

// jws is a JWT in the compact serialization (RFC 7515 §7.1), taken apart and not
// yet verified. Names of members are compared exactly.
type jws struct {
	alg       string // one of signatureAlgs
	header    map[string]json.RawMessage
	claims    map[string]json.RawMessage
	signed    string // what the signature is of
	signature []byte
}

// parseJWS takes a JWT of at most most bytes apart. One that is not signed, or
// by an algorithm that is not taken, is none; so is one whose header demands
// something by crit (RFC 7515 §4.1.11), of which nothing is known here.
func parseJWS(raw string, most int) (*jws, error) {
	if len(raw) > most || strings.Count(raw, ".") != 2 {
		return nil, errJWS
	}
	end := strings.LastIndexByte(raw, '.')
	head, body, _ := strings.Cut(raw[:end], ".")
	header, err1 := members(head)
	claims, err2 := members(body)
	signature, err3 := decode(raw[end+1:])
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, errJWS
	}
	j := &jws{alg: text(header["alg"]), header: header, claims: claims, signed: raw[:end], signature: signature}
	if _, critical := header["crit"]; critical || !slices.Contains(signatureAlgs, j.alg) {
		return nil, errJWS
	}
	return j, nil
}

// members are those of a JSON object in base64url.
func members(encoded string) (map[string]json.RawMessage, error) {
	raw, err := decode(encoded)
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		return nil, errJWS
	}
	return m, nil
}

// text is a JSON string; empty if raw is none.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// seconds is a NumericDate (RFC 7519 §2) in whole seconds; ok is false if raw is
// none of our time.
func seconds(raw json.RawMessage) (unix int64, ok bool) {
	var n float64
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) || json.Unmarshal(raw, &n) != nil || n < 0 || n > 1<<40 {
		return 0, false
	}
	return int64(n), true
}

// verifiedBy reports whether the signature is of this key, by the algorithm that
// the header names.
func (j *jws) verifiedBy(k *publicKey) bool {
	if !k.does(j.alg) {
		return false
	}
	sum := sha256.Sum256([]byte(j.signed))
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		if len(j.signature) != 64 { // R and S of 32 bytes each (RFC 7518 §3.4)
			return false
		}
		r, s := new(big.Int).SetBytes(j.signature[:32]), new(big.Int).SetBytes(j.signature[32:])
		return ecdsa.Verify(key, sum[:], r, s)
	case *rsa.PublicKey:
		if j.alg == "RS256" {
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], j.signature) == nil
		}
		return rsa.VerifyPSS(key, crypto.SHA256, sum[:], j.signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(key, []byte(j.signed), j.signature)
	}
	return false
}

// thumbprint is the name of a key by its content (RFC 7638), in base64url.
func (k *publicKey) thumbprint() string {
	var canonical string
	switch key := k.key.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			return "" // only for curves that readKey refuses
		}
		canonical = `{"crv":"P-256","kty":"EC","x":"` + encode(point[1:33]) + `","y":"` + encode(point[33:]) + `"}`
	case *rsa.PublicKey:
		canonical = `{"e":"` + encode(big.NewInt(int64(key.E)).Bytes()) + `","kty":"RSA","n":"` + encode(key.N.Bytes()) + `"}`
	case ed25519.PublicKey:
		canonical = `{"crv":"Ed25519","kty":"OKP","x":"` + encode(key) + `"}`
	}
	sum := sha256.Sum256([]byte(canonical))
	return encode(sum[:])
}
