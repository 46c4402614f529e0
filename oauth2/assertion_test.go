package oauth2

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestOfferedMethods: what can't work is not offered.
func TestOfferedMethods(t *testing.T) {
	db := storetest.SQLite(t)
	always := []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}
	for name, c := range map[string]struct {
		certificates bool
		cas          *x509.CertPool
		more         []string
	}{
		"no certificates":                     {false, x509.NewCertPool(), nil},
		"certificates":                        {true, nil, []string{"self_signed_tls_client_auth"}},
		"certificates and their authorities":  {true, x509.NewCertPool(), []string{"tls_client_auth", "self_signed_tls_client_auth"}},
		"authorities, and nobody shows a one": {false, nil, nil},
	} {
		p, err := New(Config{Store: db, Secret: make([]byte, 32), SealKey: make([]byte, 32), Certificates: c.certificates, ClientCAs: c.cas})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slices.Insert(slices.Clone(always), 3, c.more...), p.AuthMethods()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestNobodysKeys: there is one for each algorithm, and it proves nothing.
func TestNobodysKeys(t *testing.T) {
	for _, alg := range signatureAlgs {
		k := jwttest.New(t, alg)
		a, err := readAssertion(k.Sign(t, map[string]any{"alg": alg}, map[string]any{"iss": "a"}))
		if err != nil {
			t.Fatal(err)
		}
		if a.signedBy(nil) || a.signedBy(nobodysKeys) {
			t.Errorf("%s: somebody's signature is nobody's", alg)
		}
	}
}

// TestTheCacheOfKeysIsBounded: whoever has many clients can't make it grow, nor
// have one address asked more often.
func TestTheCacheOfKeysIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	k := newKeyCache(nowhereFetcher{}, func() time.Time { return now })
	ask := func(id string) error {
		_, err := k.keys(t.Context(), &store.Client{Tenant: "demo", ID: id, JWKSURI: "https://x"}, func(*publicKey) bool { return true })
		return err
	}
	id := func(i int) string { return time.Duration(i).String() }
	for i := range keysAtMost {
		if err := ask(id(i)); err == nil || err == errKeysFull {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if err := ask("one more"); err != errKeysFull {
		t.Errorf("one too many: %v", err)
	}
	now = now.Add(keysEvery)
	if err := ask("one more"); err == errKeysFull || len(k.sets) != keysAtMost {
		t.Errorf("%v, with %d", err, len(k.sets))
	}
	if _, err := newKeyCache(nil, nil).keys(t.Context(), &store.Client{}, nil); err != errNoFetcher {
		t.Error(err)
	}
}

type nowhereFetcher struct{}

func (nowhereFetcher) Get(context.Context, string) ([]byte, error) { return nil, errNoFetcher }

func FuzzAssertion(f *testing.F) {
	tenant := &store.Tenant{ID: "demo", Issuer: "https://demo.example"}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	k := jwttest.New(f, "ES256")
	claims := map[string]any{"iss": "app", "sub": "app", "aud": tenant.Issuer, "jti": "1", "exp": now.Add(time.Minute).Unix()}
	f.Add(k.Sign(f, map[string]any{"alg": "ES256", "kid": "a", "typ": "JWT"}, claims))
	f.Add(k.Sign(f, map[string]any{"alg": "ES256"}, map[string]any{"aud": []string{"a"}, "exp": "x", "nbf": nil}))
	f.Add("a.b.c")
	raw, err := json.Marshal(map[string]any{"keys": []any{k.JWK()}})
	if err != nil {
		f.Fatal(err)
	}
	keys, err := registrableKeys(raw)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := readAssertion(raw)
		if err != nil {
			return
		}
		if len(raw) > maxAssertion || !slices.Contains(signatureAlgs, a.alg) {
			t.Errorf("%q is read", raw)
		}
		if a.check(tenant, now) == nil && (a.issuer == "" || a.id == "" || !a.expires.After(now) || a.expires.After(now.Add(10*time.Minute))) {
			t.Errorf("%q is taken", raw)
		}
		if a.signedBy(keys) && !a.fits(&keys[0]) {
			t.Errorf("%q is signed by a key that does not fit", raw)
		}
	})
}
