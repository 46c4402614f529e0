package jwttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"testing"
	"time"
)

// Key is a private key that signs by one algorithm.
type Key struct {
	Alg     string // ES256, RS256, PS256 or EdDSA
	private crypto.Signer
}

// New makes a key for an algorithm; an RSA key has 2048 bits.
func New(t testing.TB, alg string) *Key { return Sized(t, alg, 2048) }

// Sized makes a key; bits are of RSA alone.
func Sized(t testing.TB, alg string, bits int) *Key {
	t.Helper()
	var private crypto.Signer
	var err error
	switch alg {
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256", "PS256":
		private, err = rsa.GenerateKey(rand.Reader, bits)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("no keys for %s", alg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &Key{alg, private}
}

// Signer is the private key itself.
func (k *Key) Signer() crypto.Signer { return k.private }

// JWK is the public key (RFC 7517), with nothing but its required members.
func (k *Key) JWK() map[string]any {
	switch p := k.private.Public().(type) {
	case *ecdsa.PublicKey:
		point, _ := p.Bytes() // fails for no key that New makes
		return map[string]any{"kty": "EC", "crv": "P-256", "x": Encode(point[1:33]), "y": Encode(point[33:])}
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "n": Encode(p.N.Bytes()), "e": Encode(big.NewInt(int64(p.E)).Bytes())}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": Encode(p)}
	}
	return nil
}

// Thumbprint is the key's name by RFC 7638.
func (k *Key) Thumbprint() string {
	sum := sha256.Sum256(marshal(k.JWK())) // sorted and without white space, as the RFC wants
	return Encode(sum[:])
}

// Sign makes a JWT of header and claims, whatever they say.
func (k *Key) Sign(t testing.TB, header, claims map[string]any) string {
	t.Helper()
	signed := Encode(marshal(header)) + "." + Encode(marshal(claims))
	return signed + "." + Encode(k.Signature(t, signed))
}

// Signature is that of a text, in the form of RFC 7518.
func (k *Key) Signature(t testing.TB, signed string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(signed))
	var out []byte
	var err error
	switch p := k.private.(type) {
	case *ecdsa.PrivateKey:
		r, s, failed := ecdsa.Sign(rand.Reader, p, sum[:])
		if failed != nil {
			t.Fatal(failed)
		}
		out = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		if k.Alg == "PS256" {
			out, err = rsa.SignPSS(rand.Reader, p, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			out, err = rsa.SignPKCS1v15(rand.Reader, p, crypto.SHA256, sum[:])
		}
	default:
		out, err = k.private.Sign(rand.Reader, []byte(signed), crypto.Hash(0))
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Proof makes a DPoP proof (RFC 9449 §4.2) of a fresh jti. Changes replace its
// claims; a nil one leaves the claim out.
func (k *Key) Proof(t testing.TB, method, url string, at time.Time, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": url, "iat": at.Unix()}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return k.Sign(t, map[string]any{"typ": "dpop+jwt", "alg": k.Alg, "jwk": k.JWK()}, claims)
}

// HashOf is the ath of an access token (RFC 9449 §4.2).
func HashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return Encode(sum[:])
}

// Certificate makes a certificate that the key signs itself.
func (k *Key) Certificate(t testing.TB, name string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.private.Public(), k.private)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k.private, Leaf: leaf}
}

// Encode is base64url without padding.
func Encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func marshal(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // a test made a claim of what JSON has no form for
	}
	return raw
}
