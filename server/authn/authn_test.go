package authn_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// tokens are the access tokens of a test.
type tokens map[string]*oauth2.Token

var errDown = errors.New("the database is down")

func (m tokens) Lookup(_ context.Context, token string) (*oauth2.Token, error) {
	if token == "pga_down" {
		return nil, errDown
	}
	if t := m[token]; t != nil {
		return t, nil
	}
	return nil, store.ErrNotFound
}

// proving proves the tokens of a test as the real ones are proven.
type proving struct {
	tokens
	provider *oauth2.Provider
}

func (p proving) Prove(ctx context.Context, tenant *store.Tenant, token string, t *oauth2.Token, s *oauth2.Shown) error {
	return p.provider.Prove(ctx, tenant, token, t, s)
}

// env is a server that answers with the caller that it found.
type env struct {
	t        *testing.T
	db       *store.DB
	now      time.Time
	tenant   *store.Tenant
	tokens   tokens
	provider *oauth2.Provider
	cert     *x509.Certificate // that the connection comes with
	sessions *authn.Sessions
	app      *fiber.App
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), tokens: tokens{}}
	clock := func() time.Time { return e.now }
	e.db = storetest.Open(t, store.Options{Dir: t.TempDir(), Now: clock})
	e.tenant = storetest.Tenant(t, e.db, "demo")
	e.sessions = &authn.Sessions{Store: e.db, Now: clock, Customer: authn.CustomerLifetime, Staff: authn.StaffLifetime}
	var err error
	e.provider, err = oauth2.New(oauth2.Config{Store: e.db, Now: clock, Secret: make([]byte, 32), SealKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	keys := authn.Keys{Store: e.db, Now: clock}
	a := &authn.Authenticator{
		Explicit: []authn.Method{authn.OAuth2{Tokens: proving{e.tokens, e.provider}, Uses: &authn.Uses{Store: e.db, Now: clock}}, authn.APIKey{Keys: keys}, authn.APIToken{Keys: keys, ScopesOf: scopesOf}},
		Session:  e.sessions,
		Nonce:    e.provider.Nonce,
		Refuse:   func(c *fiber.Ctx, p *web.Problem) error { return p.Answer(web.EventOf(c)).Send(c) },
	}
	e.app = fiber.New(fiber.Config{DisableStartupMessage: true, ReadBufferSize: 16 << 10})
	e.app.Use(func(c *fiber.Ctx) error {
		web.SetEvent(c, web.NewEvent("", e.now))
		web.SetTenant(c, e.tenant)
		web.SetOrigin(c, web.Origin{IP: "192.0.2.1", Host: "demo.localhost", Certificate: e.cert})
		return c.Next()
	})
	say := func(c *fiber.Ctx) error { return c.JSON(web.CallerOf(c)) }
	e.app.All("/api", a.API(), say)
	e.app.All("/page", a.Pages(), say)
	return e
}

func scopesOf(roles []string) (all []string) {
	for _, role := range roles {
		all = append(all, map[string][]string{"viewer": {"points:read"}, "super_admin": {"points:read", "admin"}}[role]...)
	}
	return all
}

func (e *env) write(fn func(tx *store.Tx) error) { storetest.Write(e.t, e.db, fn) }

// key adds an API key and returns its secret.
func (e *env) key(prefix string, change func(k *store.APIKey)) string {
	e.t.Helper()
	secret, k := authn.NewKey(prefix)
	k.Tenant, k.Name, k.CreatedAt = "demo", "test", store.At(e.now)
	change(&k)
	e.write(func(tx *store.Tx) error { return tx.InsertAPIKey(context.Background(), &k) })
	return secret
}

func (e *env) client(id string, disabled store.Time) {
	e.write(func(tx *store.Tx) error {
		return tx.InsertClient(context.Background(), &store.Client{
			Tenant: "demo", ID: id, Name: id, Trusted: true, Scopes: store.Words{"points:read", "points:write"},
			CreatedAt: store.At(e.now), DisabledAt: disabled,
		})
	})
}

// ask sends a request with these headers and reads the caller that was found.
func (e *env) ask(path string, headers ...string) (status int, k web.Caller) {
	e.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := e.app.Test(r, 10_000)
	if err != nil {
		e.t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, &k); err != nil {
			e.t.Fatal(err)
		}
	}
	return res.StatusCode, k
}

// short is what the tables compare of a caller.
func short(k web.Caller) string {
	return strings.Join([]string{k.Method, string(k.Status), k.Type, k.ID, strings.Join(k.Scopes, " ")}, "|")
}

func TestMethods(t *testing.T) {
	e := newEnv(t)
	e.client("shop", store.Time{})
	e.client("closed", store.At(e.now))
	storetest.User(t, e.db, "demo", "stf_vic", "viewer")
	storetest.User(t, e.db, "demo", "cus_alice")
	good := oauth2.Token{
		Tenant: "demo", SubjectType: "customer", Subject: "cus_alice", ClientID: "shop", GrantID: "grt_1",
		Scopes: []string{"points:read"}, Audience: "http://demo.localhost/api", Status: oauth2.Valid,
	}
	token := func(name string, change func(t *oauth2.Token)) string {
		k := good
		change(&k)
		e.tokens["pga_"+name] = &k
		return "Bearer pga_" + name
	}
	shop := func(k *store.APIKey) { k.ClientID, k.Scopes = "shop", store.Words{"points:read", "points:transfer"} }
	vic := func(k *store.APIKey) { k.UserID, k.Scopes = "stf_vic", store.Words{"points:read", "admin"} }
	key, personal := e.key(authn.KeyPrefix, shop), e.key(authn.TokenPrefix, vic)
	mangled := key[:30] + string(key[30]^1) + key[31:]
	unknown, _ := authn.NewKey(authn.KeyPrefix)

	for _, c := range []struct {
		name    string
		headers []string
		want    string
	}{
		{"nothing", nil, "none|missing|anonymous||"},
		{"access token", []string{"Authorization", token("good", func(*oauth2.Token) {})}, "oauth2|valid|customer|cus_alice|points:read"},
		{"the scheme in another case", []string{"Authorization", "bEaReR pga_good"}, "oauth2|valid|customer|cus_alice|points:read"},
		{"expired access token", []string{"Authorization", token("old", func(k *oauth2.Token) { k.Status = oauth2.Expired })}, "oauth2|expired|customer|cus_alice|points:read"},
		{"revoked access token", []string{"Authorization", token("dead", func(k *oauth2.Token) { k.Status = oauth2.Revoked })}, "oauth2|revoked|customer|cus_alice|points:read"},
		{"access token for another audience", []string{"Authorization", token("aud", func(k *oauth2.Token) { k.Audience = "http://demo.localhost/files" })}, "oauth2|invalid|anonymous||"},
		{"access token of another tenant", []string{"Authorization", token("far", func(k *oauth2.Token) { k.Tenant, k.Audience = "other", "http://other.localhost/api" })}, "oauth2|valid|customer|cus_alice|points:read"},
		{"unknown access token", []string{"Authorization", "Bearer pga_unknown"}, "oauth2|invalid|anonymous||"},
		{"refresh token as a bearer", []string{"Authorization", "Bearer pgr_abc"}, "none|invalid|anonymous||"},
		{"empty bearer", []string{"Authorization", "Bearer "}, "none|invalid|anonymous||"},
		{"empty header", []string{"Authorization", ""}, "none|invalid|anonymous||"},
		{"basic", []string{"Authorization", "Basic Zm9vOmJhcg=="}, "none|invalid|anonymous||"},
		{"key as a bearer", []string{"Authorization", "Bearer " + key}, "api_key|valid|client|shop|points:read"},
		{"key in its header", []string{"X-API-Key", key}, "api_key|valid|client|shop|points:read"},
		{"access token in the key's header", []string{"X-API-Key", "pga_good"}, "none|invalid|anonymous||"},
		{"person's token in the key's header", []string{"X-API-Key", personal}, "none|invalid|anonymous||"},
		{"key with a letter changed", []string{"X-API-Key", mangled}, "api_key|invalid|anonymous||"},
		{"key that was never made", []string{"X-API-Key", unknown}, "api_key|invalid|anonymous||"},
		{"key, cut", []string{"X-API-Key", key[:40]}, "api_key|invalid|anonymous||"},
		{"revoked key", []string{"X-API-Key", e.key(authn.KeyPrefix, func(k *store.APIKey) { shop(k); k.RevokedAt = store.At(e.now) })}, "api_key|revoked|client|shop|points:read"},
		{"expired key", []string{"X-API-Key", e.key(authn.KeyPrefix, func(k *store.APIKey) { shop(k); k.ExpiresAt = store.At(e.now) })}, "api_key|expired|client|shop|points:read"},
		{"key of a closed client", []string{"X-API-Key", e.key(authn.KeyPrefix, func(k *store.APIKey) { shop(k); k.ClientID = "closed" })}, "api_key|revoked|client|closed|points:read"},
		{"key of a client that is gone", []string{"X-API-Key", e.key(authn.KeyPrefix, func(k *store.APIKey) { shop(k); k.ClientID = "gone" })}, "api_key|revoked|client|gone|"},
		{"person's token", []string{"Authorization", "Bearer " + personal}, "api_token|valid|staff|stf_vic|points:read"},
		{"customer's token", []string{"Authorization", "Bearer " + e.key(authn.TokenPrefix, func(k *store.APIKey) {
			k.UserID, k.Scopes = "cus_alice", store.Words{"points:read", "admin"}
		})}, "api_token|valid|customer|cus_alice|points:read"},
		{"token of a person who is gone", []string{"Authorization", "Bearer " + e.key(authn.TokenPrefix, func(k *store.APIKey) { k.UserID = "stf_gone" })}, "api_token|revoked|anonymous||"},
		{"a session's cookie", []string{"Cookie", "pg_session=" + strings.Repeat("a", 43)}, "none|missing|anonymous||"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, k := e.ask("/api", c.headers...)
			if diff := cmp.Diff(c.want, short(k)); status != http.StatusOK || diff != "" {
				t.Error(status, diff)
			}
		})
	}
}

func TestKeyIsTheClientsDeputy(t *testing.T) {
	e := newEnv(t)
	e.client("shop", store.Time{})
	_, k := e.ask("/api", "X-API-Key", e.key(authn.KeyPrefix, func(k *store.APIKey) { k.ClientID = "shop" }))
	if !k.Trusted || k.ClientID != "shop" || !strings.HasPrefix(k.GrantID, "key_") {
		t.Errorf("caller %+v", k)
	}
}

func TestPlacesOfCredentials(t *testing.T) {
	e := newEnv(t)
	for _, c := range []struct {
		name, path string
		headers    []string
		want       int
	}{
		{"one", "/api", []string{"Authorization", "Bearer x"}, http.StatusOK},
		{"token in the query", "/api?access_token=x", nil, http.StatusBadRequest},
		{"token in the query, empty", "/api?access_token", nil, http.StatusBadRequest},
		{"two headers", "/api", []string{"Authorization", "Bearer x", "X-API-Key", "y"}, http.StatusBadRequest},
		{"one header twice", "/api", []string{"Authorization", "Bearer x", "Authorization", "Bearer y"}, http.StatusBadRequest},
		{"on a page too", "/page?access_token=x", nil, http.StatusBadRequest},
		{"the store is down", "/api", []string{"Authorization", "Bearer pga_down"}, http.StatusServiceUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := e.ask(c.path, c.headers...); got != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
		})
	}
	t.Run("token in a form", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "/api", strings.NewReader("access_token=x"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := e.app.Test(r)
		if err != nil || res.StatusCode != http.StatusBadRequest {
			t.Errorf("status %d (%v), want 400", res.StatusCode, err)
		}
	})
}
