package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestLogin(t *testing.T) {
	e := newEnv(t)
	alice := e.user("cus_alice")
	b := e.browser()
	b.login(" Cus_Alice@demo.example ").is(t, http.StatusSeeOther, "/account")
	if b.cookies["pg_session"] == "" || b.cookies["pg_login"] != "" {
		t.Errorf("cookies %v, want a session and no trace of the form", b.cookies)
	}
	b.get("/account").shows(t, "Hello, cus_alice", alice.Email)
	b.get("/login?return_to=/account/apps").is(t, http.StatusSeeOther, "/account/apps")
	b.get("/").is(t, http.StatusSeeOther, "/account")
}

func TestLoginTellsNobodyWhoIsThere(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	gone := e.user("cus_gone")
	gone.DisabledAt = store.At(e.now)
	storetest.Write(t, e.db, func(tx *store.Tx) error { return tx.UpdateUser(context.Background(), gone) })
	storetest.User(t, e.db, "demo", "cus_unset") // has no password

	b := e.browser()
	form := b.get("/login").fields()
	answer := func(email, password string) string {
		f := url.Values{"email": {email}, "password": {password}, "csrf": {form.Get("csrf")}, "return_to": {"/account"}}
		r := b.post("/login", f)
		r.is(t, http.StatusUnauthorized, "")
		return strings.ReplaceAll(r.body, email, "EMAIL")
	}
	want := answer("cus_alice@demo.example", "a wrong password")
	for name, in := range map[string][2]string{
		"unknown address":      {"nobody@demo.example", password},
		"disabled account":     {gone.Email, password},
		"account without one":  {"cus_unset@demo.example", ""},
		"no password":          {"cus_alice@demo.example", ""},
		"very long password":   {"cus_alice@demo.example", strings.Repeat("x", 5000)},
		"password and then NL": {"cus_alice@demo.example", password + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, answer(in[0], in[1])); diff != "" {
				t.Error(diff)
			}
		})
	}
	if b.cookies["pg_session"] != "" {
		t.Error("somebody was signed in")
	}
}

// TestLoginForAnApp: what stands in the sealed request decides, and nothing else.
func TestLoginForAnApp(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	to := func(f oauth2.Flow) string {
		f.Tenant, f.ClientName, f.RedirectURI = "demo", "The <app>", "https://app.example/cb"
		return "/oauth2/authorize/continue?flow=" + e.provider.SealLogin(&f)
	}
	login := func(back string) string { return "/login?return_to=" + url.QueryEscape(back) }
	again, any := to(oauth2.Flow{LoginAfter: e.now.Add(time.Minute), LoginHint: `"><b>@demo.example`}), to(oauth2.Flow{})
	b := e.browser()
	if r := b.get(login(any)); strings.Contains(r.body, "sign in again") || !strings.Contains(r.body, "to go on to <strong class=\"app\">The &lt;app&gt;") {
		t.Errorf("the page of somebody who is not signed in:\n%s", r.body)
	}
	b.login("cus_alice@demo.example")
	before := b.cookies["pg_session"]
	b.get(login(any)).is(t, http.StatusSeeOther, any)

	e.now = e.now.Add(2 * time.Minute)
	r := b.get(login(again))
	r.is(t, http.StatusOK, "")
	r.shows(t, "Please sign in again, so that", "to go on to <strong class=\"app\">The &lt;app&gt;", `value="&#34;&gt;&lt;b&gt;@demo.example"`)
	form := r.fields()
	form.Set("email", "cus_alice@demo.example")
	form.Set("password", "wrong")
	wrong := b.post("/login", form)
	wrong.is(t, http.StatusUnauthorized, "")
	wrong.shows(t, `value="cus_alice@demo.example"`)
	b.get("/account").is(t, http.StatusOK, "") // the session from before is as it was
	form.Set("password", password)
	b.post("/login", form).is(t, http.StatusSeeOther, again)
	if b.cookies["pg_session"] == before {
		t.Error("no new key")
	}
	b.get(login(again)).is(t, http.StatusSeeOther, again)

	// Another tenant's request, and what is none, is not looked at.
	for _, back := range []string{"/oauth2/authorize/continue?flow=junk", "/oauth2/authorize/continue", "/oauth2/authorize/continue?flow=" +
		e.provider.SealLogin(&oauth2.Flow{Tenant: "other", LoginAfter: e.now.Add(time.Hour)})} {
		b.get(login(back)).is(t, http.StatusSeeOther, back)
	}
}

// freshOnly is the policy, but for one action that needs a login of this minute.
type freshOnly struct {
	gate.Policy
	action string
}

func (f freshOnly) Decide(ctx context.Context, r *policies.Request) (*policies.Decision, error) {
	d, err := f.Policy.Decide(ctx, r)
	if r.Action == f.action && (r.Context.ACR == "" || r.Context.Age > 60) {
		d.Allow, d.Status, d.Code = false, 401, "insufficient_user_authentication"
		d.Obligations = map[string]any{policies.StepUp: map[string]any{"max_age": int64(60)}}
	}
	return d, err
}

// TestStepUpOnAPage: the person signs in again and is back on the page; nobody
// runs in a circle.
func TestStepUpOnAPage(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	e.Gate.Policy = freshOnly{e.Gate.Policy, "session.list"}
	b := e.browser()
	b.login("cus_alice@demo.example")
	b.get("/account/sessions").is(t, http.StatusOK, "")
	e.now = e.now.Add(2 * time.Minute)
	const login = "/login?return_to=%2Faccount%2Fsessions&again=true"
	b.get("/account/sessions").is(t, http.StatusSeeOther, login)
	r := b.get(login)
	r.is(t, http.StatusOK, "")
	r.shows(t, "Please sign in again")
	form := r.fields()
	form.Set("email", "cus_alice@demo.example")
	form.Set("password", password)
	b.post("/login", form).is(t, http.StatusSeeOther, "/account/sessions")
	b.get("/account/sessions").is(t, http.StatusOK, "")
}

func TestLoginIsThrottled(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	var asked []string
	e.Throttle = func(key string, perMinute int) (time.Duration, bool) {
		asked = append(asked, key)
		return 11500 * time.Millisecond, perMinute == 20 // the address may go on, the account not
	}
	b := e.browser()
	f := b.get("/login").fields()
	f.Set("email", "CUS_alice@demo.example")
	f.Set("password", password)
	r := b.post("/login", f)
	r.is(t, http.StatusTooManyRequests, "")
	if got := r.Header.Get("Retry-After"); got != "12" {
		t.Errorf("Retry-After %q, want 12", got)
	}
	want := []string{"login address\x00demo\x00192.0.2.1", "login account\x00demo\x00cus_alice@demo.example"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

func TestLoginForms(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	other := e.browser().get("/login").fields().Get("csrf")
	for _, c := range []struct {
		name   string
		change func(b *browser, f url.Values)
		status int
	}{
		{"good", func(*browser, url.Values) {}, http.StatusSeeOther},
		{"from an old browser, same origin", func(b *browser, _ url.Values) {
			b.header = map[string]string{"Sec-Fetch-Site": "", "Origin": "http://demo.localhost:8080"}
		}, http.StatusSeeOther},
		{"from an old browser that hides its origin", func(b *browser, _ url.Values) {
			b.header = map[string]string{"Sec-Fetch-Site": "", "Origin": "null"}
		}, http.StatusSeeOther},
		{"without a token", func(_ *browser, f url.Values) { f.Del("csrf") }, http.StatusForbidden},
		{"with another browser's token", func(_ *browser, f url.Values) { f.Set("csrf", other) }, http.StatusForbidden},
		{"without the cookie", func(b *browser, _ url.Values) { delete(b.cookies, "pg_login") }, http.StatusForbidden},
		{"with an empty cookie", func(b *browser, _ url.Values) { b.cookies["pg_login"] = "" }, http.StatusForbidden},
		{"from another site", func(b *browser, _ url.Values) { b.header = map[string]string{"Sec-Fetch-Site": "cross-site"} }, http.StatusForbidden},
		{"from a sister site", func(b *browser, _ url.Values) { b.header = map[string]string{"Sec-Fetch-Site": "same-site"} }, http.StatusForbidden},
		{"from an old browser, another origin", func(b *browser, _ url.Values) {
			b.header = map[string]string{"Sec-Fetch-Site": "", "Origin": "http://evil.example"}
		}, http.StatusForbidden},
		{"a field twice", func(_ *browser, f url.Values) { f.Add("email", "x") }, http.StatusBadRequest},
		{"a NUL", func(_ *browser, f url.Values) { f.Set("email", "a\x00b") }, http.StatusBadRequest},
		{"broken UTF-8", func(_ *browser, f url.Values) { f.Set("password", "\xff") }, http.StatusBadRequest},
		{"as JSON", func(b *browser, _ url.Values) { b.header = map[string]string{"Content-Type": "application/json"} }, http.StatusUnsupportedMediaType},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := e.browser()
			f := b.get("/login").fields()
			f.Set("email", "cus_alice@demo.example")
			f.Set("password", password)
			c.change(b, f)
			if r := b.post("/login", f); r.StatusCode != c.status {
				t.Errorf("status %d, want %d\n%s", r.StatusCode, c.status, r.body)
			}
		})
	}
}

func TestReturnTo(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	for in, want := range map[string]string{
		"/account/apps":                    "/account/apps",
		"/oauth2/authorize?a=b&c=%2F%2Fd":  "/oauth2/authorize?a=b&c=%2F%2Fd",
		"":                                 "/account",
		"//evil.example":                   "/account",
		"///evil.example":                  "/account",
		`/\evil.example`:                   "/account",
		`\\evil.example`:                   "/account",
		"/\t/evil.example":                 "/account",
		"/\n/evil.example":                 "/account",
		"/account\r\nSet-Cookie: a=b":      "/account",
		"https://evil.example/":            "/account",
		"javascript:alert(1)":              "/account",
		"account":                          "/account",
		" /account":                        "/account",
		"/%zz":                             "/account",
		"/" + strings.Repeat("a", 13_000):  "/account",
		"http:/evil.example":               "/account",
		"/account#//evil.example":          "/account#//evil.example",
		"/account?next=//evil.example/%0a": "/account?next=//evil.example/%0a",
	} {
		t.Run(in[:min(len(in), 30)], func(t *testing.T) {
			b.get("/login?return_to="+url.QueryEscape(in)).is(t, http.StatusSeeOther, want)
		})
	}
}

func TestSessionRotatesAndEnds(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	before := b.cookies["pg_session"]
	// The same browser signs in once more, from a login page that was still open.
	other := e.browser()
	other.cookies["pg_session"] = before
	f := e.browser()
	form := f.get("/login").fields()
	other.cookies["pg_login"] = f.cookies["pg_login"]
	form.Set("email", "cus_alice@demo.example")
	form.Set("password", password)
	other.post("/login", form).is(t, http.StatusSeeOther, "/account")
	if other.cookies["pg_session"] == before {
		t.Error("the key is the one from before the login")
	}
	b.get("/account").is(t, http.StatusSeeOther, "/login?return_to=%2Faccount")

	after := other.cookies["pg_session"]
	other.post("/logout", other.get("/account").fields()).is(t, http.StatusSeeOther, "/")
	if other.cookies["pg_session"] != "" {
		t.Error("the browser keeps the cookie")
	}
	other.cookies["pg_session"] = after
	other.get("/account").is(t, http.StatusSeeOther, "/login?return_to=%2Faccount")
}

func TestLogoutNeedsItsForm(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	b.post("/logout", url.Values{"csrf": {"guess"}}).is(t, http.StatusForbidden, "")
	if r := b.get("/account"); r.StatusCode != http.StatusOK {
		t.Errorf("signed out by a form of another site: %d", r.StatusCode)
	}
}

func TestSessionCookie(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	for name, c := range map[string]struct {
		tls    string
		cookie string
		secure bool
	}{
		"on http":  {"", "pg_session", false},
		"on https": {"yes", "__Host-pg_session", true},
	} {
		t.Run(name, func(t *testing.T) {
			b := e.browser()
			b.header = map[string]string{"X-Test-TLS": c.tls}
			r := b.login("cus_alice@demo.example")
			for _, k := range r.Cookies() {
				if k.Name != c.cookie {
					continue
				}
				if k.Secure != c.secure || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Path != "/" || k.Domain != "" || len(k.Value) != 43 {
					t.Errorf("cookie %+v", k)
				}
				return
			}
			t.Errorf("no cookie %s in %v", c.cookie, r.Cookies())
		})
	}
}

// Browsers hold form-action against the redirects behind a form, so the client's
// address must be in it, and nothing that a stranger could add to the policy.
func TestWhereTheLoginFormMayLead(t *testing.T) {
	e := newEnv(t)
	b := e.browser()
	for redirect, want := range map[string]string{
		"https://app.example/callback?a=b":         " https://app.example",
		"http://127.0.0.1:9090/callback":           " http://127.0.0.1:9090",
		"http://[::1]:9090/callback":               " http:",
		"com.example.app:/callback":                " com.example.app:",
		"":                                         "",
		"https://app.example; script-src 'self'/":  "",
		"https://app.example;script-src%20*/":      "",
		"https://app.example/ 'unsafe-inline'":     " https://app.example",
		"https://*/":                               " https:",
		"//evil.example/":                          "",
		"https://user:password@app.example/secret": " https://app.example",
	} {
		t.Run(redirect, func(t *testing.T) {
			back := "/oauth2/authorize/continue?flow=" + e.provider.SealLogin(&oauth2.Flow{Tenant: "demo", RedirectURI: redirect})
			_, got, _ := strings.Cut(b.get("/login?return_to="+url.QueryEscape(back)).Header.Get("Content-Security-Policy"), "form-action 'self'")
			if got != want {
				t.Errorf("besides this server: %q, want %q", got, want)
			}
		})
	}
}
