package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/oauth"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

const (
	callback = "http://127.0.0.1:9090/callback"
	verifier = "a-verifier-of-forty-three-characters-or-more-0"
	issuer   = "http://demo.localhost"
)

func challenge(v string) string {
	h := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// world is a server with the OAuth2 endpoints over a real listener, the two
// tenants and clients of the demo, and a clock that only the test moves.
type world struct {
	*testing.T
	db       *store.DB
	provider *oauth2.Provider
	base     string
	browser  *http.Client

	mu     sync.Mutex
	time   time.Time
	reuses []oauth2.Reuse
}

// each runs a test in a world on SQLite and in one on PostgreSQL.
func each(t *testing.T, test func(w *world)) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		w := &world{T: t, time: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
		o.Now = w.now
		w.db = storetest.Open(t, o)
		w.people()
		var err error
		w.provider, err = oauth2.New(oauth2.Config{
			Store: w.db, Secret: []byte(strings.Repeat("s", 32)), SealKey: []byte(strings.Repeat("k", 32)), Now: w.now, ReuseDetected: w.reused,
		})
		if err != nil {
			t.Fatal(err)
		}
		w.listen()
		test(w)
	})
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

func (w *world) reused(_ context.Context, r oauth2.Reuse) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reuses = append(w.reuses, r)
}

func (w *world) people() {
	storetest.Tenant(w, w.db, "demo")
	storetest.Tenant(w, w.db, "other")
	storetest.User(w, w.db, "demo", "cus_alice")
	storetest.User(w, w.db, "demo", "stf_manager", "manager")
	w.client("demo-web", "demo-web-secret", nil)
	w.client("demo-spa", "", func(c *store.Client) {
		c.Public, c.RefreshGrace, c.GrantTypes = true, 0, store.Words{"authorization_code", "refresh_token"}
	})
	w.client("demo-service", "demo-service-secret", func(c *store.Client) {
		c.Trusted, c.RedirectURIs, c.GrantTypes = true, nil, store.Words{"client_credentials"}
		c.Scopes = store.Words{"points:read", "points:write"}
	})
	w.client("demo-gateway", "demo-gateway-secret", func(c *store.Client) {
		c.RedirectURIs, c.GrantTypes, c.Scopes, c.Introspects = nil, nil, nil, store.Words{issuer + "/api"}
	})
	storetest.Client(w, w.db, "other", "other-web", nil)
	w.secret("other", "other-web", "other-web-secret")
}

func (w *world) client(id, secret string, edit func(c *store.Client)) *store.Client {
	w.Helper()
	c := storetest.Client(w, w.db, "demo", id, func(c *store.Client) {
		c.GrantTypes = store.Words{"authorization_code", "refresh_token"}
		if edit != nil {
			edit(c)
		}
		for _, f := range oauth2.CheckClient(c) {
			w.Fatalf("client %s: %s: %s", id, f.Field, f.Detail)
		}
	})
	if secret != "" {
		w.secret("demo", id, secret)
	}
	return c
}

func (w *world) secret(tenant, client, secret string) {
	w.Helper()
	storetest.Write(w, w.db, func(tx *store.Tx) error {
		return tx.InsertClientSecret(context.Background(), &store.ClientSecret{
			ID: "sec_" + client + secret, Tenant: tenant, ClientID: client, Hash: oauth2.HashSecret(secret), CreatedAt: tx.Now()})
	})
}

// exec changes one row behind everyone's back.
func (w *world) exec(query string) {
	w.Helper()
	storetest.Write(w, w.db, func(tx *store.Tx) error {
		return tx.ExecOne(context.Background(), store.ErrNotFound, query)
	})
}

// listen serves the endpoints. Who is signed in stands in a header, instead of
// in a cookie that another room reads.
func (w *world) listen() {
	w.Helper()
	o := &oauth.OAuth{Provider: w.provider, Session: func(c *fiber.Ctx) (oauth2.Person, string, bool) {
		id := strings.Clone(c.Get("X-Person"))
		kind := map[string]string{"cus": "customer", "stf": "staff"}[strings.Split(id, "_")[0]]
		return oauth2.Person{ID: id, Type: kind, AuthTime: w.now(), AMR: []string{"pwd"}}, "ses_1", id != ""
	}, ErrorPage: func(c *fiber.Ctx, status int, title, detail string) error {
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		return c.Status(status).SendString("<h1>" + title + "</h1>" + detail)
	}}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadBufferSize: 16 << 10, DisablePreParseMultipartForm: true})
	app.Use(func(c *fiber.Ctx) error {
		tenant := strings.Clone(c.Get("X-Tenant", "demo"))
		t, _ := w.db.TenantFor(tenant + ".localhost")
		web.SetTenant(c, t)
		web.SetEvent(c, web.NewEvent("", w.now()))
		return c.Next()
	})
	app.Get("/oauth2/authorize", o.Authorize())
	app.Post("/oauth2/authorize", o.Authorize())
	app.Post("/oauth2/token", o.Token())
	app.Post("/oauth2/introspect", o.Introspect())
	app.Post("/oauth2/revoke", o.Revoke())
	app.Get("/.well-known/oauth-authorization-server", o.ServerMetadata())
	app.Get("/.well-known/oauth-protected-resource", o.ResourceMetadata())
	app.Get("/.well-known/oauth-protected-resource/api", o.ResourceMetadata())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(l) }()
	w.Cleanup(func() {
		if err := errors.Join(app.Shutdown(), <-done); err != nil {
			w.Error(err)
		}
	})
	w.base = "http://" + l.Addr().String()
	w.browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w.Cleanup(w.browser.CloseIdleConnections)
}

// reply is an answer, wholly read.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) field(name string) string {
	var m map[string]any
	_ = json.Unmarshal([]byte(r.body), &m)
	s, _ := m[name].(string)
	return s
}

func (r reply) error() string { return r.field("error") }

// location is a parameter of where the browser was sent.
func (r reply) location(name string) string {
	u, err := url.Parse(r.header.Get("Location"))
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}

func (w *world) do(method, path, body string, header map[string]string) reply {
	w.Helper()
	req, err := http.NewRequest(method, w.base+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := w.browser.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(raw)}
}

// post sends a form, as one client: {"demo-web"} by Basic with its demo secret.
func (w *world) post(path, client string, form url.Values) reply {
	w.Helper()
	h := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	switch client {
	case "":
	case "demo-spa":
		form.Set("client_id", client)
	default:
		h["Authorization"] = basic(client, client+"-secret")
	}
	return w.do("POST", path, form.Encode(), h)
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// asks is a good authorization request, changed by pairs of name and value; an
// empty value removes.
func asks(changes ...string) url.Values {
	q := url.Values{
		"response_type": {"code"}, "client_id": {"demo-web"}, "redirect_uri": {callback}, "state": {"st"},
		"scope": {"points:read points:write offline_access"}, "code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	return with(q, changes...)
}

func with(q url.Values, changes ...string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			q.Del(changes[i])
		}
	}
	return q
}

func (w *world) authorize(q url.Values) reply {
	w.Helper()
	return w.do("GET", "/oauth2/authorize?"+q.Encode(), "", map[string]string{"X-Person": "cus_alice"})
}

// flow takes a request to consent.
func (w *world) flow(q url.Values) *oauth2.Flow {
	w.Helper()
	r := w.authorize(q)
	f, err := w.provider.OpenFlow(r.location("flow"), "cus_alice", "ses_1")
	if err != nil {
		w.Fatalf("no consent page, but %d %s %s", r.status, r.header.Get("Location"), r.body)
	}
	return f
}

func (w *world) alice() oauth2.Person {
	return oauth2.Person{ID: "cus_alice", Type: "customer", AuthTime: w.now(), AMR: []string{"pwd"}}
}

// code is one for alice's consent to the whole request.
func (w *world) code(changes ...string) string {
	w.Helper()
	f := w.flow(asks(changes...))
	to, err := w.provider.Approve(context.Background(), f, w.alice(), f.Scopes)
	if err != nil {
		w.Fatal(err)
	}
	return reply{header: http.Header{"Location": {to}}}.location("code")
}

func redeem(code string, changes ...string) url.Values {
	return with(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}, changes...)
}

func again(token string, changes ...string) url.Values {
	return with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, changes...)
}

// tokens are those that the client gets by a whole flow.
func (w *world) tokens(client string) (access, refresh string) {
	w.Helper()
	r := w.post("/oauth2/token", client, redeem(w.code("client_id", client)))
	if r.status != 200 {
		w.Fatalf("no tokens: %d %s", r.status, r.body)
	}
	return r.field("access_token"), r.field("refresh_token")
}

// status is what bearer authentication would find.
func (w *world) status(access string) string {
	w.Helper()
	t, err := w.provider.Lookup(context.Background(), access)
	if errors.Is(err, store.ErrNotFound) {
		return "invalid"
	}
	if err != nil {
		w.Fatal(err)
	}
	return t.Status
}

func (w *world) want(r reply, status int, code string) {
	w.Helper()
	if r.status != status || r.error() != code {
		w.Errorf("got %d %s, want %d %s", r.status, r.body, status, code)
	}
}

// sub runs a part of a test in the same world.
func (w *world) sub(name string, test func(w *world)) {
	w.Helper()
	w.Run(name, func(t *testing.T) {
		outer := w.T
		w.T = t
		defer func() { w.T = outer }()
		test(w)
	})
}

// parallel does the same n times at once.
func parallel(n int, do func() reply) []reply {
	out := make([]reply, n)
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			out[i] = do()
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return out
}
