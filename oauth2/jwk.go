package oauth2

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
)

// The bounds of a client's key set (RFC 7517).
const (
	maxKeySet  = 32 << 10 // bytes, certificates included
	maxKeys    = 10
	maxKeyID   = 256 // bytes
	minRSABits = 2048
	maxRSABits = 4096 // a larger key costs the verifier more than it gives
)

// signatureAlgs are the algorithms of assertions that are taken (RFC 7518
// §3.1, RFC 8037 §3.1). none and the symmetric ones are not: a public key must
// never be tried as the key of a MAC.
var signatureAlgs = []string{"ES256", "RS256", "PS256", "EdDSA"}

// publicKey is one key that a client registered or publishes.
type publicKey struct {
	id  string // kid; may be empty
	alg string // that it is for; empty: any that its type can do
	key crypto.PublicKey
	der []byte // the first certificate of x5c; nil where there is none
}

// does reports whether the key can verify a signature of the algorithm.
func (k *publicKey) does(alg string) bool {
	if k.alg != "" && k.alg != alg {
		return false
	}
	switch k.key.(type) {
	case *ecdsa.PublicKey:
		return alg == "ES256"
	case *rsa.PublicKey:
		return alg == "RS256" || alg == "PS256"
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}

// jwk is a key as RFC 7517 writes it. Members that are not known are ignored
// (§4).
type jwk struct {
	Kty    string   `json:"kty"`
	Use    string   `json:"use"`
	KeyOps []string `json:"key_ops"`
	Alg    string   `json:"alg"`
	Kid    string   `json:"kid"`
	Crv    string   `json:"crv"`
	X      string   `json:"x"`
	Y      string   `json:"y"`
	N      string   `json:"n"`
	E      string   `json:"e"`
	X5c    []string `json:"x5c"`
}

// secretMembers are those that a public key has not (RFC 7518 §6).
var secretMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// The reasons for which a key set is refused. Their texts may be told.
var (
	errKeySet  = errors.New("it must be a JSON object with a list keys of 1 to 10 keys, of 32 KiB at most")
	errKey     = errors.New("each key must be P-256, Ed25519, or RSA of 2048 to 4096 bits, and be for signatures")
	errPrivate = errors.New("it holds a private or symmetric key, which nobody but its owner may have: make a new one")
	errKeyID   = errors.New("each key needs a kid of its own where there are several")
	errX5C     = errors.New("the first certificate of x5c must be of the same key")
)

// registrableKeys reads a key set that is to be registered: every key in it
// must be usable.
func registrableKeys(raw []byte) ([]publicKey, error) {
	keys, err := readKeys(raw, false)
	if err != nil {
		return nil, err
	}
	for i, k := range keys {
		if len(keys) > 1 && (k.id == "" || slices.ContainsFunc(keys[:i], func(o publicKey) bool { return o.id == k.id })) {
			return nil, errKeyID
		}
	}
	return keys, nil
}

// publishedKeys reads a key set that a client publishes: keys of kinds that are
// not used here are passed over (RFC 7517 §5).
func publishedKeys(raw []byte) ([]publicKey, error) { return readKeys(raw, true) }

func readKeys(raw []byte, passOver bool) ([]publicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(raw) > maxKeySet || json.Unmarshal(raw, &set) != nil || len(set.Keys) == 0 || len(set.Keys) > maxKeys {
		return nil, errKeySet
	}
	var keys []publicKey
	for _, one := range set.Keys {
		k, err := readKey(one)
		switch {
		case err == nil:
			keys = append(keys, *k)
		case !passOver:
			return nil, err
		}
	}
	if len(keys) == 0 {
		return nil, errKey
	}
	return keys, nil
}

// readKey reads one public key for signatures.
func readKey(raw []byte) (*publicKey, error) {
	var j jwk
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || json.Unmarshal(raw, &j) != nil {
		return nil, errKey
	}
	for _, name := range secretMembers {
		if _, there := members[name]; there {
			return nil, errPrivate
		}
	}
	k := &publicKey{id: j.Kid, alg: j.Alg, key: j.public()}
	switch {
	case k.key == nil || len(j.Kid) > maxKeyID || j.Use != "" && j.Use != "sig":
		return nil, errKey
	case j.KeyOps != nil && !slices.Contains(j.KeyOps, "verify"):
		return nil, errKey
	case !slices.ContainsFunc(signatureAlgs, k.does):
		return nil, errKey // alg is of another type, or not taken
	}
	return k, k.certify(j.X5c)
}

// public is the key, or nil.
func (j *jwk) public() crypto.PublicKey {
	switch {
	case j.Kty == "EC" && j.Crv == "P-256":
		return j.p256()
	case j.Kty == "OKP" && j.Crv == "Ed25519":
		if x, err := decode(j.X); err == nil && len(x) == ed25519.PublicKeySize {
			return ed25519.PublicKey(x)
		}
	case j.Kty == "RSA":
		return j.rsa()
	}
	return nil
}

// p256 refuses what is not a point of the curve.
func (j *jwk) p256() crypto.PublicKey {
	x, err1 := decode(j.X)
	y, err2 := decode(j.Y)
	if err1 != nil || err2 != nil || len(x) != 32 || len(y) != 32 {
		return nil
	}
	k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil
	}
	return k
}

func (j *jwk) rsa() crypto.PublicKey {
	n, err1 := decode(j.N)
	e, err2 := decode(j.E)
	if err1 != nil || err2 != nil || len(e) > 4 || len(n) > maxRSABits/8 {
		return nil
	}
	k := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if k.N.BitLen() < minRSABits || k.N.Bit(0) == 0 || k.E < 3 || k.E%2 == 0 || k.E > 1<<31-1 {
		return nil
	}
	return k
}

// certify keeps the first certificate of x5c, which must be of this very key
// (RFC 7517 §4.7). Others after it are its issuers and not looked at.
func (k *publicKey) certify(chain []string) error {
	if len(chain) == 0 {
		return nil
	}
	der, err := base64.StdEncoding.Strict().DecodeString(chain[0])
	if err != nil {
		return errX5C
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil || !samePublic(k.key, cert.PublicKey) {
		return errX5C
	}
	k.der = der
	return nil
}

func samePublic(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
