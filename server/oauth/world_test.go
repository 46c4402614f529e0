package oauth_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/oauth"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// world is a server with the OAuth2 endpoints over a real listener, the two
// tenants and clients of the demo, and a clock that only the test moves.
type world struct {
	*testing.T
	db       *store.DB
	library  *library
	provider *oauth2.Provider
	policy   *houseRules
	base     string
	browser  *http.Client

	mu     sync.Mutex
	time   time.Time
	events []oauth2.Event
	again  int // answers to refreshes that were given once more

	certificates map[string]*x509.Certificate // by the name in X-Certificate; not changed once there are requests

	refused []string // codes of what was counted, with the client if there was one

	published published // the keys of clients

	charged map[string]int // what was throttled, by its key; nil: nothing is
}

// each runs a test in a world on SQLite and in one on PostgreSQL.
func each(t *testing.T, test func(w *world)) {
	t.Parallel()
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		w := &world{T: t, library: &library{body: map[string]string{}}, time: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
		o.Now = w.now
		w.db = storetest.Open(t, o)
		w.people()
		var err error
		w.provider, err = oauth2.New(oauth2.Config{
			Store: w.db, Secret: []byte(strings.Repeat("s", 32)), SealKey: []byte(strings.Repeat("k", 32)), Now: w.now, Record: w.record,
			Replayed: func() { w.mu.Lock(); defer w.mu.Unlock(); w.again++ },
			Fetcher:  &w.published, Documents: w.library, Certificates: true, ClientCAs: authority().pool,
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

func (w *world) record(_ context.Context, _ *store.Tx, e oauth2.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

const reuse = oauth2.ReuseDetected

// told is the events of the kind that were told of since the test began.
func (w *world) told(kind oauth2.EventKind) (out []oauth2.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

func (w *world) count(_ *web.Event, p *web.Problem, client string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = append(w.refused, strings.TrimSpace(p.Code+" "+client))
}

// counted takes the codes of what was counted since it was last asked.
func (w *world) counted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.refused
	w.refused = nil
	return out
}

// throttle lets so many through, and none after them.
func (w *world) throttle(key string, perMinute int) (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.charged == nil {
		return 0, true
	}
	w.charged[key]++
	return time.Minute, w.charged[key] <= perMinute
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
	engine, err := defaultPolicy()
	if err != nil {
		w.Fatal(err)
	}
	w.policy = &houseRules{Engine: engine}
	g := &gate.Gate{Policy: w.policy, Store: w.db, Now: w.now, NewID: uuid.NewString}
	o := &oauth.OAuth{Gate: g, Provider: w.provider, Count: w.count, Throttle: w.throttle, Session: func(c *fiber.Ctx) (oauth2.Person, string, bool) {
		id := strings.Clone(c.Get("X-Person"))
		kind := map[string]string{"cus": "customer", "stf": "staff"}[strings.Split(id, "_")[0]]
		ago, _ := time.ParseDuration(c.Get("X-Login-Ago", "0s"))
		return oauth2.Person{ID: id, Type: kind, AuthTime: w.now().Add(-ago), AMR: strings.Fields(c.Get("X-AMR", "pwd"))}, "ses_1", id != ""
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
		web.SetOrigin(c, web.Origin{IP: "192.0.2.1", Certificate: w.certificates[c.Get("X-Certificate")]})
		return c.Next()
	})
	app.Get("/oauth2/authorize", o.Authorize())
	app.Post("/oauth2/authorize", o.Authorize())
	app.Get("/oauth2/authorize/continue", o.Continue())
	app.Post("/oauth2/token", o.Token())
	app.Post("/oauth2/device_authorization", o.DeviceAuthorization())
	app.Post("/oauth2/introspect", o.Introspect())
	app.Post("/oauth2/revoke", o.Revoke())
	app.Post("/oauth2/register", o.Register())
	app.Get("/oauth2/register/:id", o.ReadRegistration())
	app.Put("/oauth2/register/:id", o.ReplaceRegistration())
	app.Delete("/oauth2/register/:id", o.DeleteRegistration())
	app.Post("/oauth2/par", o.Push())
	app.Get("/.well-known/oauth-authorization-server", o.ServerMetadata())
	app.Get("/.well-known/openid-configuration", o.ServerMetadata())
	app.Get("/oauth2/jwks", o.JWKS())
	api := (&authn.Authenticator{Explicit: []authn.Method{authn.OAuth2{Tokens: w.provider}}, Refuse: func(c *fiber.Ctx, p *web.Problem) error {
		return p.Answer(web.EventOf(c)).Send(c)
	}}).API()
	app.Get("/oauth2/userinfo", api, o.UserInfo())
	app.Post("/oauth2/userinfo", api, o.UserInfo())
	app.Get("/.well-known/oauth-protected-resource", o.ResourceMetadata())
	app.Get("/.well-known/oauth-protected-resource/api", o.ResourceMetadata())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(l) }()
	w.Cleanup(func() {
		err := app.Shutdown()
		_ = l.Close() // what has not begun to serve yet was not shut down
		if err := errors.Join(err, <-done); err != nil {
			w.Error(err)
		}
	})
	w.base = "http://" + l.Addr().String()
	w.browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w.Cleanup(w.browser.CloseIdleConnections)
}

// defaultPolicy is compiled once for all tests: under the race detector that takes
// longer than most of them.
var defaultPolicy = sync.OnceValues(func() (*policies.Engine, error) {
	engine, err := policies.Open(policies.Embedded())
	if err == nil {
		engine.Timeout = 10 * time.Second // the race detector is slow
	}
	return engine, err
})

// houseRules is the default policy, but for one action that may be denied.
type houseRules struct {
	*policies.Engine
	mu           sync.Mutex
	action, code string
	status       int
}

// rule denies an action with a code; an empty one denies nothing.
func (w *world) rule(action, code string, status int) {
	w.policy.mu.Lock()
	defer w.policy.mu.Unlock()
	w.policy.action, w.policy.code, w.policy.status = action, code, status
}

// Decide implements gate.Policy.
func (h *houseRules) Decide(ctx context.Context, r *policies.Request) (*policies.Decision, error) {
	d, err := h.Engine.Decide(ctx, r)
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Action == h.action {
		d.Allow, d.Code, d.Status = false, h.code, h.status
	}
	return d, err
}

// approve makes a grant as the gate would: where nothing useful is ticked, it
// denies.
func (w *world) approve(f *oauth2.Flow, ticked []string) (to string, err error) {
	ctx := context.Background()
	granted := f.Ticked(w.alice().Type, ticked)
	if len(granted) == 0 {
		return w.provider.Deny(ctx, f, w.alice())
	}
	p, err := w.provider.Approve(ctx, f, w.alice(), granted)
	if err != nil {
		return "", err
	}
	err = w.db.Write(ctx, func(tx *store.Tx) error {
		to, err = p.Commit(ctx, tx)
		return err
	})
	return to, err
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
