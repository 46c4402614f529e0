package oauth2

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"
)

// testKeys are made once: RSA takes its time.
var testKeys = sync.OnceValue(func() map[string]crypto.Signer {
	ec, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	other, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rs, err3 := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, err4 := ed25519.GenerateKey(rand.Reader)
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			panic(err)
		}
	}
	return map[string]crypto.Signer{"EC": ec, "other": other, "RSA": rs, "OKP": ed}
})

// publicJWK is the public half of a key, as a client would write it.
func publicJWK(t testing.TB, key crypto.Signer) map[string]any {
	t.Helper()
	switch k := key.Public().(type) {
	case *ecdsa.PublicKey:
		raw, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "x": encode(raw[1:33]), "y": encode(raw[33:])}
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "n": encode(k.N.Bytes()), "e": encode(big.NewInt(int64(k.E)).Bytes())}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(k)}
	}
	t.Fatalf("%T", key)
	return nil
}

// setOf is a key set.
func setOf(t testing.TB, keys ...map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func keySet(t testing.TB) string { return setOf(t, publicJWK(t, testKeys()["EC"])) }

// certificate is a self-signed one.
func certificate(t testing.TB, key crypto.Signer, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKeysThatCanBeRegistered(t *testing.T) {
	keys := testKeys()
	with := func(kind string, members map[string]any) map[string]any {
		k := publicJWK(t, keys[kind])
		maps.Copy(k, members)
		return k
	}
	x5c := base64.StdEncoding.EncodeToString(certificate(t, keys["EC"], nil).Raw)
	for name, c := range map[string]struct {
		set  string
		want error
	}{
		"P-256":                  {setOf(t, with("EC", nil)), nil},
		"RSA":                    {setOf(t, with("RSA", map[string]any{"alg": "PS256", "use": "sig"})), nil},
		"Ed25519":                {setOf(t, with("OKP", map[string]any{"alg": "EdDSA", "key_ops": []string{"verify"}})), nil},
		"a certificate":          {setOf(t, with("EC", map[string]any{"x5c": []string{x5c}})), nil},
		"unknown members":        {setOf(t, with("EC", map[string]any{"iat": 1, "x5u": "https://x"})), nil},
		"two":                    {setOf(t, with("EC", map[string]any{"kid": "a"}), with("RSA", map[string]any{"kid": "b"})), nil},
		"no JSON":                {"keys", errKeySet},
		"a list":                 {"[]", errKeySet},
		"no keys":                {`{"keys":[]}`, errKeySet},
		"null":                   {`{"keys":null}`, errKeySet},
		"a key alone":            {`{"kty":"EC"}`, errKeySet},
		"a key that is a number": {`{"keys":[1]}`, errKey},
		"null as a key":          {`{"keys":[null]}`, errKey},
		"too many":               {`{"keys":[` + strings.Repeat("{},", maxKeys) + `{}]}`, errKeySet},
		"too large":              {setOf(t, with("EC", map[string]any{"pad": strings.Repeat("x", maxKeySet)})), errKeySet},
		"two without names":      {setOf(t, with("EC", nil), with("RSA", nil)), errKeyID},
		"two of one name":        {setOf(t, with("EC", map[string]any{"kid": "a"}), with("RSA", map[string]any{"kid": "a"})), errKeyID},
		"a private key":          {setOf(t, with("EC", map[string]any{"d": "AA"})), errPrivate},
		"a private key, hidden":  {`{"keys":[` + strings.TrimSuffix(strings.TrimPrefix(setOf(t, with("EC", map[string]any{"d": "AA"})), `{"keys":[`), "}]}") + `,"D":null}]}`, errPrivate},
		"half of an RSA key":     {setOf(t, with("RSA", map[string]any{"dp": "AA"})), errPrivate},
		"a secret":               {`{"keys":[{"kty":"oct","k":"AAAA"}]}`, errPrivate},
		"no kind":                {`{"keys":[{}]}`, errKey},
		"another curve":          {setOf(t, with("EC", map[string]any{"crv": "P-384"})), errKey},
		"not on the curve":       {setOf(t, with("EC", map[string]any{"y": encode(make([]byte, 32))})), errKey},
		"a short coordinate":     {setOf(t, with("EC", map[string]any{"x": encode(make([]byte, 31))})), errKey},
		"padded":                 {setOf(t, with("OKP", map[string]any{"x": base64.URLEncoding.EncodeToString(make([]byte, 32))})), errKey},
		"a key for agreement":    {setOf(t, with("OKP", map[string]any{"crv": "X25519"})), errKey},
		"RSA of 1024":            {setOf(t, with("RSA", map[string]any{"n": encode(append([]byte{0x80}, append(make([]byte, 126), 1)...))})), errKey},
		"RSA of 8192":            {setOf(t, with("RSA", map[string]any{"n": encode(append([]byte{0x80}, append(make([]byte, 1022), 1)...))})), errKey},
		"RSA, even":              {setOf(t, with("RSA", map[string]any{"n": encode(append([]byte{0x80}, make([]byte, 255)...))})), errKey},
		"RSA to the power of 1":  {setOf(t, with("RSA", map[string]any{"e": "AQ"})), errKey},
		"RSA, no exponent":       {setOf(t, with("RSA", map[string]any{"e": ""})), errKey},
		"for encryption":         {setOf(t, with("RSA", map[string]any{"use": "enc"})), errKey},
		"only to sign":           {setOf(t, with("EC", map[string]any{"key_ops": []string{"sign"}})), errKey},
		"of another algorithm":   {setOf(t, with("EC", map[string]any{"alg": "RS256"})), errKey},
		"of no algorithm":        {setOf(t, with("EC", map[string]any{"alg": "none"})), errKey},
		"a long name":            {setOf(t, with("EC", map[string]any{"kid": strings.Repeat("k", maxKeyID+1)})), errKey},
		"another's certificate":  {setOf(t, with("RSA", map[string]any{"x5c": []string{x5c}})), errX5C},
		"no certificate":         {setOf(t, with("EC", map[string]any{"x5c": []string{"AAAA"}})), errX5C},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := registrableKeys([]byte(c.set))
			if err != c.want || (err == nil) != (len(got) > 0) {
				t.Errorf("%d keys, %v; want %v", len(got), err, c.want)
			}
		})
	}
}

func TestPublishedKeysOfOtherKindsArePassedOver(t *testing.T) {
	odd := map[string]any{"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}
	got, err := publishedKeys([]byte(setOf(t, odd, publicJWK(t, testKeys()["EC"]), map[string]any{"kty": "oct", "k": "AA"})))
	if err != nil || len(got) != 1 || !got[0].does("ES256") {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := publishedKeys([]byte(setOf(t, odd))); err == nil {
		t.Error("a set without a usable key is taken")
	}
}

func TestAKeyDoesItsAlgorithmsOnly(t *testing.T) {
	want := map[string]string{"EC": "ES256", "RSA": "RS256 PS256", "OKP": "EdDSA"}
	for kind, algs := range want {
		keys, err := registrableKeys([]byte(setOf(t, publicJWK(t, testKeys()[kind]))))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, alg := range []string{"none", "HS256", "ES256", "ES384", "RS256", "PS256", "EdDSA", ""} {
			if keys[0].does(alg) {
				got = append(got, alg)
			}
		}
		if strings.Join(got, " ") != algs {
			t.Errorf("%s does %v", kind, got)
		}
	}
}

func FuzzKeySet(f *testing.F) {
	f.Add([]byte(keySet(f)))
	f.Add([]byte(setOf(f, publicJWK(f, testKeys()["RSA"]))))
	f.Add([]byte(setOf(f, publicJWK(f, testKeys()["OKP"]))))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		strict, err := registrableKeys(raw)
		lenient, lenientErr := publishedKeys(raw)
		if err == nil && (lenientErr != nil || len(strict) != len(lenient)) {
			t.Errorf("what can be registered can't be published: %v", lenientErr)
		}
		for _, k := range lenient {
			if k.does("none") || k.does("HS256") || k.key == nil || len(k.id) > maxKeyID {
				t.Errorf("%+v", k)
			}
		}
	})
}
