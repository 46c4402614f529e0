package tests

import (
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/tests/harness"
)

// TestOAuth holds what the program must refuse, and how, against the RFCs: each
// subtest begins with its number, by which docs/rfc9700.md names it. A are those
// of authorization requests, T of the token endpoint, I of introspection, R of
// revocation, M of the metadata, S of resources, D of DPoP, V of devices, X of
// token exchange, P of pushed requests, L of logout and step-up.
//
// All share one running program for each database; a test that needs limits or
// faults of its own starts its own.
func TestOAuth(t *testing.T) {
	onDatabases(t, func(t *testing.T, database string) {
		p := newProof(t, harness.Options{Database: database})
		p.startSecond(t, database)
		for _, group := range []struct {
			name string
			test func(t *testing.T)
		}{
			{"authorize", p.authorize}, {"state", p.states}, {"consent", p.consents}, {"prompt", p.prompts},
			{"request", p.requests}, {"client", p.strangers}, {"code", p.codes}, {"refresh", p.refreshes}, {"service", p.services}, {"end", p.ends},
			{"introspection", p.introspections}, {"revocation", p.revocations},
			{"metadata", p.metadata}, {"resource", p.resources}, {"push", p.pushes}, {"dpop", p.dpop}, {"device", p.devices}, {"exchange", p.exchanges}, {"assertion", p.assertions}, {"logout", p.logouts}, {"step-up", p.stepUps},
		} {
			t.Run(group.name, group.test)
		}
	})
}

// proof is a running program, people in front of it, and its database, in which
// a test makes time pass.
type proof struct {
	*harness.Server
	alice *harness.Browser
	apps  map[string]harness.App
	rows  *sql.DB
	// second is another node on the same PostgreSQL; SQLite has one.
	second *harness.Server
}

// nodes are the program, as often as it runs.
func (p *proof) nodes() []*harness.Server {
	if p.second == nil {
		return []*harness.Server{p.Server}
	}
	return []*harness.Server{p.Server, p.second}
}

func newProof(t *testing.T, o harness.Options) *proof {
	t.Helper()
	o.Dir = t.TempDir()
	p := &proof{Server: harness.Start(t, o), apps: maps.Clone(harness.Apps)}
	driver, source := "pgx", o.Database
	if o.Database == "" {
		driver, source = "sqlite3", "file:"+filepath.Join(o.Dir, store.File)+"?mode=rw&_busy_timeout=5000"
	}
	p.rows = must(sql.Open(driver, source))(t)
	t.Cleanup(func() { _ = p.rows.Close() })
	p.alice = p.NewBrowser(false)
	if a := must(p.alice.Login(harness.People["alice"], ""))(t); a.Status != http.StatusOK {
		t.Fatal(a)
	}
	p.register(t, map[string]any{
		"id": "second", "name": "Second", "grant_types": words("authorization_code refresh_token"),
		"redirect_uris": []string{callback}, "scopes": words("points:read points:write offline_access"),
	})
	p.register(t, map[string]any{
		"id": "doors", "name": "Many Doors", "public": true, "grant_types": words("authorization_code"), "scopes": words("points:read"),
		"redirect_uris": []string{callback, "http://[::1]:9090/callback", "http://localhost:9090/callback", "https://app.example/cb?x=1"},
	})
	return p
}

// startSecond starts another node, where the database can have two.
func (p *proof) startSecond(t *testing.T, database string) {
	t.Helper()
	if database == "" {
		return
	}
	p.second = harness.Start(t, harness.Options{Database: database, Args: []string{
		"--public-url", p.URL, "--secret-file", filepath.Join(p.Dir, "secret.key"),
	}})
	p.Demo = p.second.Demo // each start makes these tokens anew
}

var callback = harness.Apps["demo-web"].Redirect

// register makes a client of the tenant demo, which the tests then know by its id.
func (p *proof) register(t *testing.T, client map[string]any) {
	t.Helper()
	made := must(p.Post("/admin/api/clients", p.Demo.AdminToken, client))(t)
	if made.Status != http.StatusCreated {
		t.Fatal(made)
	}
	var secret struct {
		Secret string `json:"client_secret"`
	}
	if err := made.Decode(&secret); err != nil {
		t.Fatal(err)
	}
	app := harness.App{ID: client["id"].(string), Secret: secret.Secret}
	if all, ok := client["redirect_uris"].([]string); ok {
		app.Redirect = all[0]
	}
	p.apps[app.ID] = app
}

// change runs a statement behind the program's back, which must hit a row.
func (p *proof) change(t *testing.T, statement string, args ...any) {
	t.Helper()
	done := must(p.rows.ExecContext(t.Context(), statement, args...))(t)
	if n, err := done.RowsAffected(); n == 0 || err != nil {
		t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

func words(s string) []string { return strings.Fields(s) }

// with is the form with some parameters changed: name, value, name, value; an
// empty value leaves one out.
func with(form url.Values, changes ...string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			form.Del(changes[i])
		}
	}
	return form
}

const verifier = "a-verifier-of-the-tests-that-is-long-enough-0123456789"

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// asks is a good authorization request of demo-web, but for the changes.
func asks(changes ...string) url.Values {
	return with(url.Values{
		"response_type": {"code"}, "client_id": {"demo-web"}, "redirect_uri": {callback}, "scope": {"points:read offline_access"},
		"state": {"st"}, "code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}, changes...)
}

// ask sends an authorization request of somebody who is not signed in.
func (p *proof) ask(t *testing.T, q url.Values) *harness.Answer {
	t.Helper()
	return must(p.Send(harness.Request{Method: http.MethodGet, URL: "/oauth2/authorize?" + q.Encode()}))(t)
}

// told is what a redirect tells the client. It must go to the client's callback,
// by a GET, with the issuer, and carry no token.
func (p *proof) told(t *testing.T, a *harness.Answer) url.Values {
	t.Helper()
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.Status != http.StatusSeeOther || !strings.HasPrefix(u.String(), callback+"?") {
		t.Fatalf("want 303 to the client, got %s", a)
	}
	if q := u.Query(); q.Get("iss") != p.URL || strings.Contains(u.String(), "token=") || u.Fragment != "" {
		t.Errorf("the redirect is %s", u)
	}
	return u.Query()
}

// wantPage wants a page for a person, and nothing sent anywhere.
func wantPage(t *testing.T, a *harness.Answer) {
	t.Helper()
	if a.Status != http.StatusBadRequest || a.Header.Get("Location") != "" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("want a page with 400, got %s", a)
	}
	wantPageHeaders(t, a)
}

func wantPageHeaders(t *testing.T, a *harness.Answer) {
	t.Helper()
	h := a.Header
	if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("X-Frame-Options") != "DENY" ||
		h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("headers of a page: %v", h)
	}
}

// grant has Alice sign in and consent; the redirect's parameters come back.
func (p *proof) grant(t *testing.T, q url.Values) url.Values {
	t.Helper()
	page := must(p.alice.Open("/oauth2/authorize?" + q.Encode()))(t)
	if page.Status == http.StatusOK {
		page = must(p.alice.Submit(consentForm(t, page, "approve")))(t)
	}
	return p.told(t, page)
}

// code is a fresh code of Alice's.
func (p *proof) code(t *testing.T, changes ...string) string {
	t.Helper()
	q := p.grant(t, asks(changes...))
	if q.Get("code") == "" {
		t.Fatalf("no code: %v", q)
	}
	return q.Get("code")
}

func consentForm(t *testing.T, page *harness.Answer, decision string) harness.Form {
	t.Helper()
	for _, f := range must(harness.Forms(page.Body))(t) {
		if f.Fields.Has("flow") {
			f.Fields.Set("decision", decision)
			return f
		}
	}
	t.Fatalf("no consent form: %s", page)
	return harness.Form{}
}

// post sends a form to an endpoint as the app: with its secret by Basic, or with
// its client_id alone.
func (p *proof) post(t *testing.T, path, app string, form url.Values) *harness.Answer {
	t.Helper()
	a, known := p.apps[app]
	switch {
	case !known && app != "":
		t.Fatalf("no app %q", app)
	case app != "" && a.Secret == "":
		form.Set("client_id", a.ID)
	case app != "":
		return must(p.Form(p.URL+path, a.ID, a.Secret, form))(t)
	}
	return must(p.Form(p.URL+path, "", "", form))(t)
}

// refuses wants an error of RFC 6749 §5.2: its status and code, that nobody keeps
// it, and that it tells nothing of the inside.
func refuses(t *testing.T, a *harness.Answer, status int, code string) {
	t.Helper()
	if a.Status != status || a.Code() != code {
		t.Errorf("want %d %s, got %s", status, code, a)
	}
	plain(t, a)
	if status == http.StatusUnauthorized && a.Header.Get("WWW-Authenticate") == "" {
		t.Error("a 401 without WWW-Authenticate")
	}
}

func plain(t *testing.T, a *harness.Answer) {
	t.Helper()
	h := a.Header
	if h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers: %v", h)
	}
	for _, leak := range []string{"goroutine", "SQL", "sqlite", "pgx", ".go:", "fosite", "hint"} {
		if a.Status >= 400 && strings.Contains(string(a.Body), leak) { // tokens are made of any letters
			t.Errorf("%q in %s", leak, a)
		}
	}
}

// accepts wants tokens.
func accepts(t *testing.T, a *harness.Answer) *harness.Tokens {
	t.Helper()
	got := new(harness.Tokens)
	if err := json.Unmarshal(a.Body, got); err != nil || a.Status != http.StatusOK || got.Access == "" {
		t.Fatalf("want tokens, got %s", a)
	}
	plain(t, a)
	return got
}
