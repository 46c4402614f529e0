package pages_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/oauth"
	"github.com/pointgate/pointgate/server/pages"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// env is the pages over a real store, policy and provider, with a clock.
type env struct {
	*pages.Pages
	t        *testing.T
	app      *fiber.App
	db       *store.DB
	tenant   *store.Tenant
	provider *oauth2.Provider
	now      time.Time
	event    *web.Event // of the last request
	refused  []string   // what was counted
	timeout  time.Duration
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

const password = "correct horse battery"

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, timeout: time.Minute, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return e.now }
	e.db = storetest.Open(t, store.Options{Dir: t.TempDir(), Now: clock})
	e.tenant = storetest.Tenant(t, e.db, "demo")
	engine, err := defaultPolicy()
	must(t, err)
	e.provider, err = oauth2.New(oauth2.Config{
		Store: e.db, Secret: make([]byte, 32), SealKey: make([]byte, 32), Now: clock, Record: server.RecordOAuth(nil, nil),
	})
	must(t, err)
	passwords, err := authn.NewPasswords()
	must(t, err)
	e.Pages = &pages.Pages{
		Gate:   &gate.Gate{Policy: engine, Store: e.db, Now: clock, NewID: uuid.NewString},
		Events: &gate.Events{Store: e.db, Now: clock, NewID: uuid.NewString},
		Store:  e.db, Passwords: passwords, Forms: authn.Forms{Key: make([]byte, 32)}, Consents: e.provider, Logins: e.provider, Logouts: e.provider, ScopesOf: engine.ScopesOf, Now: clock,
		Session: &authn.Sessions{Store: e.db, Now: clock, Customer: authn.CustomerLifetime, Staff: authn.StaffLifetime},
	}
	answers := &oauth.OAuth{Gate: e.Gate, Provider: e.provider}
	e.Answers, e.Devices = answers, answers
	e.Count = func(_ *web.Event, p *web.Problem) { e.refused = append(e.refused, p.Code) }
	e.routes()
	return e
}

func (e *env) routes() {
	e.app = fiber.New(fiber.Config{DisableStartupMessage: true, ReadBufferSize: 16 << 10})
	e.app.Use(func(c *fiber.Ctx) error {
		e.event = web.NewEvent("", e.now)
		e.event.Method, e.event.Path, e.event.IP = strings.Clone(c.Method()), web.SafePath(c.Path()), "192.0.2.1"
		web.SetEvent(c, e.event)
		ctx, cancel := context.WithTimeout(context.Background(), e.timeout)
		defer cancel()
		c.SetUserContext(ctx)
		t, _ := e.db.TenantFor("demo.localhost")
		web.SetTenant(c, t)
		web.SetOrigin(c, web.Origin{IP: "192.0.2.1", Host: "demo.localhost", TLS: c.Get("X-Test-TLS") != ""})
		return c.Next()
	})
	e.app.Get("/static/*", e.Static())
	e.app.Get("/setup", e.Setup())
	e.app.Post("/setup", e.PostSetup())
	e.app.Use((&authn.Authenticator{Session: e.Session, Refuse: e.Refusal}).Pages())
	e.app.Get("/", e.Home())
	e.app.Get("/login", e.Login())
	e.app.Post("/login", e.PostLogin())
	e.app.Post("/logout", e.Logout())
	e.app.Get("/oauth2/logout", e.LogoutRequest())
	e.app.Post("/oauth2/logout", e.PostLogoutRequest())
	e.app.Get("/consent", e.Consent())
	e.app.Post("/consent", e.PostConsent())
	e.app.Get("/device", e.Device())
	e.app.Post("/device", e.PostDevice())
	e.app.Get("/account", e.Account())
	e.app.Get("/account/apps", e.Apps())
	e.app.Post("/account/apps/revoke", e.RevokeApp())
	e.app.Get("/account/sessions", e.Pages.Sessions())
	e.app.Post("/account/sessions/end", e.EndSession())
	e.app.Post("/account/sessions/end-others", e.EndOtherSessions())
	e.app.Get("/developer", e.Developer())
	e.app.Get("/developer/new", e.NewApp())
	e.app.Post("/developer/new", e.MakeApp())
	e.app.Get("/developer/apps/:id", e.Pages.App())
	e.app.Post("/developer/apps/:id", e.EditApp())
	e.app.Post("/developer/apps/:id/secret", e.RotateSecret())
	e.app.Post("/developer/apps/:id/delete", e.DeleteApp())
	e.app.Get("/account/tokens", e.Tokens())
	e.app.Post("/account/tokens", e.MakeToken())
	e.app.Post("/account/tokens/revoke", e.RevokeToken())
}

// user adds a person with the test's password.
func (e *env) user(id string, roles ...string) *store.User {
	e.t.Helper()
	u := storetest.User(e.t, e.db, "demo", id, roles...)
	hash, err := e.Passwords.Hash(context.Background(), password)
	must(e.t, err)
	u.PasswordHash = hash
	storetest.Write(e.t, e.db, func(tx *store.Tx) error { return tx.UpdateUser(context.Background(), u) })
	return u
}

// browser keeps cookies, follows nothing, and sends what browsers send.
type browser struct {
	*env
	cookies map[string]string
	header  map[string]string // in place of what browsers send
}

func (e *env) browser() *browser { return &browser{env: e, cookies: map[string]string{}} }

type reply struct {
	*http.Response
	body string
}

func (b *browser) get(path string) *reply { return b.send(http.MethodGet, path, nil) }

func (b *browser) post(path string, form url.Values) *reply {
	return b.send(http.MethodPost, path, form)
}

func (b *browser) send(method, path string, form url.Values) *reply {
	b.t.Helper()
	r := httptest.NewRequest(method, "http://demo.localhost"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for k, v := range b.header {
		r.Header.Set(k, v)
	}
	for k, v := range b.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	res, err := b.app.Test(r, 20_000)
	must(b.t, err)
	body, err := io.ReadAll(res.Body)
	must(b.t, err)
	for _, c := range res.Cookies() {
		b.cookies[c.Name] = c.Value
		if c.Value == "" {
			delete(b.cookies, c.Name)
		}
	}
	return &reply{res, string(body)}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)

// fields are the hidden inputs of the page's forms; of two the last.
func (r *reply) fields() url.Values {
	out := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(r.body, -1) {
		out.Set(m[1], m[2])
	}
	return out
}

// login signs in with the test's password.
func (b *browser) login(email string) *reply {
	b.t.Helper()
	f := b.get("/login").fields()
	f.Set("email", email)
	f.Set("password", password)
	r := b.post("/login", f)
	if r.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("login: %d\n%s", r.StatusCode, r.body)
	}
	return r
}

// is checks status and, of a redirect, where it goes.
func (r *reply) is(t *testing.T, status int, location string) {
	t.Helper()
	if r.StatusCode != status || r.Header.Get("Location") != location {
		t.Errorf("answer %d to %q, want %d to %q\n%s", r.StatusCode, r.Header.Get("Location"), status, location, r.body)
	}
}

func (r *reply) shows(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(r.body, s) {
			t.Errorf("the page does not show %q:\n%s", s, r.body)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
