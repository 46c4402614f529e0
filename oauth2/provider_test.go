package oauth2

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func newProvider(t testing.TB, db *store.DB) *Provider {
	t.Helper()
	p, err := New(Config{Store: db, Secret: []byte(strings.Repeat("s", 32)), SealKey: []byte(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNewRefusesWeakKeys(t *testing.T) {
	db := storetest.SQLite(t)
	long, short := make([]byte, 32), make([]byte, 31)
	for name, c := range map[string]Config{
		"no store":       {Secret: long, SealKey: long},
		"short secret":   {Store: db, Secret: short, SealKey: long},
		"short seal key": {Store: db, Secret: long, SealKey: short},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := New(Config{Store: db, Secret: long, SealKey: long}); err != nil {
		t.Error(err)
	}
}

// TestPresetConfig: fosite would fill these in at their first use, which is a
// data race between requests.
func TestPresetConfig(t *testing.T) {
	c := newProvider(t, storetest.SQLite(t)).fosite.Config.(*config)
	if c.ScopeStrategy == nil || c.AudienceMatchingStrategy == nil || c.ClientSecretsHasher == nil || c.GetJWKSFetcherStrategy(t.Context()) != nil {
		t.Error("a field is left to fosite")
	}
	if !c.EnforcePKCE || c.EnablePKCEPlainChallengeMethod || c.SendDebugMessagesToClients || len(c.TokenEndpointHandlers) != 6 || len(c.AuthorizeEndpointHandlers) != 2 {
		t.Errorf("got %+v", c.Config)
	}
}

func TestKindsOfTokens(t *testing.T) {
	ctx := context.Background()
	common := strings.Repeat("s", 32)
	a, b := newKind("pga_", []byte(common+"one")), newKind("pga_", []byte(common+"two"))
	other := newKind("pgr_", []byte(common+"one"))
	token, signature, err := a.mint(ctx)
	if err != nil || len(token) != 4+43+1+43 || a.signature(ctx, token) != signature || signature == "" {
		t.Fatalf("%q %q %v", token, signature, err)
	}
	body := token[4:]
	for name, s := range map[string]string{
		"without prefix":     body,
		"another prefix":     "pgr_" + body,
		"prefix twice":       "pga_" + token,
		"a line break":       token[:50] + "\n" + token[51:],
		"one character more": token + "A",
		"one less":           token[:len(token)-1],
		"padding":            token + "=",
		"a second dot":       token + ".",
		"no dot":             strings.Replace(token, ".", "_", 1),
		"only a dot":         "pga_.",
		"empty":              "",
		"flipped":            token[:10] + string(token[10]^1) + token[11:],
	} {
		if s := a.signature(ctx, s); s != "" {
			t.Errorf("%s: taken for a token", name)
		}
	}
	if b.signature(ctx, token) != "" {
		t.Error("two secrets with a common beginning are the same")
	}
	if other.signature(ctx, "pgr_"+body) != "" {
		t.Error("a token of one kind is one of another")
	}
}

// TestJunkCostsNoQuery: the database is closed, and nobody notices.
func TestJunkCostsNoQuery(t *testing.T) {
	db := storetest.SQLite(t)
	p := newProvider(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	junk := "pga_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43)
	head := func(kid string) string {
		return encode([]byte(`{"alg":"ES256","kid":"`+kid+`","typ":"at+jwt"}`)) + ".e30.AAAA"
	}
	p.signing.ring.Store(&ring{read: p.now()}) // it was read a moment ago
	for _, token := range []string{
		"", "x", junk, strings.Repeat("a.", 1<<16), "..", "eyJ.eyJ.", head("1"), head("../../key"), head("sgk_" + strings.Repeat("a", 26)), head(strings.Repeat("a", maxJWT)),
	} {
		if _, err := p.Lookup(t.Context(), token); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%.20q: %v", token, err)
		}
	}
	ctx, x := p.begin(t.Context(), &store.Tenant{ID: "demo"})
	if _, err := (storage{p}).GetAuthorizeCodeSession(ctx, p.code.signature(ctx, "pgc_"+junk[4:]), nil); !errors.Is(err, fosite.ErrNotFound) || x.fault != nil {
		t.Errorf("a code: %v, %v", err, x.fault)
	}
}

// counter counts what it compares.
type counter struct {
	secretHasher
	n *int
}

func (c counter) Compare(ctx context.Context, hash, secret []byte) error {
	*c.n++
	return c.secretHasher.Compare(ctx, hash, secret)
}

func TestAnUnknownClientCostsAsMuchAsAWrongSecret(t *testing.T) {
	db := storetest.SQLite(t)
	tenant := storetest.Tenant(t, db, "demo")
	storetest.Client(t, db, "demo", "web", nil)
	storetest.Write(t, db, func(tx *store.Tx) error {
		return tx.InsertClientSecret(t.Context(), &store.ClientSecret{ID: "sec_1", Tenant: "demo", ClientID: "web", Hash: HashSecret("right"), CreatedAt: tx.Now()})
	})
	p := newProvider(t, db)
	var n int
	p.hasher = counter{n: &n}
	for _, id := range []string{"web", "nobody", "no\x00body"} {
		n = 0
		ctx, x := p.receive(t.Context(), &Request{Tenant: tenant})
		_, err := p.authenticate(ctx, x, "", url.Values{"client_id": {id}, "client_secret": {"wrong"}})
		var e *Error
		if !errors.As(err, &e) || e.Code != "invalid_client" || n != 1 {
			t.Errorf("%q: %v after %d comparisons", id, err, n)
		}
	}
}

func TestSecrets(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	if a == b || len(a) != 4+43 || !strings.HasPrefix(a, "pgs_") {
		t.Errorf("%q %q", a, b)
	}
	h := secretHasher{}
	hash, err := h.Hash(t.Context(), []byte(a))
	if err != nil || len(hash) != 32 || h.Compare(t.Context(), hash, []byte(a)) != nil {
		t.Errorf("%x %v", hash, err)
	}
	for name, wrong := range map[string][]byte{"another": []byte(b), "empty": nil, "the hash itself": hash} {
		if h.Compare(t.Context(), hash, wrong) == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if h.Compare(t.Context(), nowhere, nil) == nil || h.Compare(t.Context(), nil, nil) == nil {
		t.Error("nothing is taken where there is no secret")
	}
}

func TestSealer(t *testing.T) {
	s := sealer{key: derive([]byte("k"), nil, "test")}
	sealed := s.seal([]byte("plain"), "a", "b")
	if got, err := s.open(sealed, "a", "b"); err != nil || string(got) != "plain" {
		t.Errorf("%q %v", got, err)
	}
	if string(sealed) == string(s.seal([]byte("plain"), "a", "b")) {
		t.Error("the nonce is not random")
	}
	changed := append([]byte{}, sealed...)
	changed[len(changed)-1] ^= 1
	for name, try := range map[string]func() ([]byte, error){
		"another context": func() ([]byte, error) { return s.open(sealed, "a", "c") },
		"moved context":   func() ([]byte, error) { return s.open(sealed, "ab", "") },
		"less context":    func() ([]byte, error) { return s.open(sealed, "a") },
		"another key":     func() ([]byte, error) { return sealer{key: derive([]byte("k"), nil, "other")}.open(sealed, "a", "b") },
		"changed":         func() ([]byte, error) { return s.open(changed, "a", "b") },
		"cut":             func() ([]byte, error) { return s.open(sealed[:5], "a", "b") },
		"nothing":         func() ([]byte, error) { return s.open(nil, "a", "b") },
	} {
		if _, err := try(); err == nil {
			t.Errorf("%s: opens", name)
		}
	}
}
