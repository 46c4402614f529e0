package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

const callback = "http://127.0.0.1:9090/callback"

func (e *env) client() {
	e.t.Helper()
	storetest.Write(e.t, e.db, func(tx *store.Tx) error {
		return tx.InsertClient(context.Background(), &store.Client{
			Tenant: "demo", ID: "web", Name: "Coffee <b>Club</b>", Public: true, RedirectURIs: store.Words{callback},
			GrantTypes: store.Words{"authorization_code", "refresh_token"}, Scopes: store.Words{"points:read", "points:write", "offline_access"},
			CreatedAt: store.At(e.now),
		})
	})
}

// flow is a sealed request for the session of this browser.
func (b *browser) flow(person string) string {
	b.t.Helper()
	f, err := b.provider.Authorize(context.Background(), b.tenant, url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {callback}, "state": {"s"},
		"scope": {"points:read points:write"}, "code_challenge_method": {"S256"}, "code_challenge": {strings.Repeat("A", 43)},
	})
	must(b.t, err)
	open, err := store.Sessions(context.Background(), b.db, store.SessionFilter{Tenant: "demo", User: person, Limit: 1})
	must(b.t, err)
	return b.provider.Seal(f, person, open[0].ID)
}

func (e *env) scopesGiven(person string) (out []string) {
	e.t.Helper()
	all, err := store.Grants(context.Background(), e.db, store.GrantFilter{Tenant: "demo", Subject: person, Limit: 10})
	must(e.t, err)
	for _, g := range all {
		out = append(out, strings.Join(g.Scopes, " "))
	}
	return out
}

func TestConsentPage(t *testing.T) {
	e := newEnv(t)
	e.client()
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	r := b.get("/consent?flow=" + b.flow("cus_alice"))
	r.is(t, http.StatusOK, "")
	r.shows(t, "Coffee &lt;b&gt;Club&lt;/b&gt;", "127.0.0.1:9090", "cus_alice@demo.example", "demo",
		`name="scope" value="points:read" checked`, `name="scope" value="points:write" checked`,
		"see your points and their history", "spend points for you", "at any time",
		`name="decision" value="approve"`, `name="decision" value="deny"`)
	if csp := r.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "form-action 'self' http://127.0.0.1:9090") {
		t.Errorf("the policy stops the browser in front of the client: %s", csp)
	}
}

func TestConsentNeedsAPerson(t *testing.T) {
	e := newEnv(t)
	b := e.browser()
	b.get("/consent?flow=abc_-").is(t, http.StatusSeeOther, "/login?return_to=%2Fconsent%3Fflow%3Dabc_-")
	b.post("/consent", url.Values{"flow": {"abc"}, "decision": {"approve"}}).is(t, http.StatusForbidden, "")
}

func TestConsent(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(b *browser, f url.Values)
		status  int
		to      string // a part of the place that the browser is sent to
		granted []string
	}{
		{"approve", func(*browser, url.Values) {}, http.StatusSeeOther, callback + "?code=pgc_", []string{"points:read points:write"}},
		{"approve one of two", func(_ *browser, f url.Values) { f["scope"] = []string{"points:read"} }, http.StatusSeeOther, "code=pgc_", []string{"points:read"}},
		{"approve more than was asked", func(_ *browser, f url.Values) { f.Add("scope", "offline_access") }, http.StatusSeeOther, "code=pgc_", []string{"points:read points:write"}},
		{"approve nothing", func(_ *browser, f url.Values) { f.Del("scope") }, http.StatusSeeOther, "error=access_denied", nil},
		{"deny", func(_ *browser, f url.Values) { f.Set("decision", "deny") }, http.StatusSeeOther, "error=access_denied", nil},
		{"neither", func(_ *browser, f url.Values) { f.Del("decision") }, http.StatusBadRequest, "", nil},
		{"without a token", func(_ *browser, f url.Values) { f.Del("csrf") }, http.StatusForbidden, "", nil},
		{"from another site", func(b *browser, _ url.Values) { b.header = map[string]string{"Sec-Fetch-Site": "cross-site"} }, http.StatusForbidden, "", nil},
		{"a flow that was changed", func(_ *browser, f url.Values) { f.Set("flow", swapped(f.Get("flow"))) }, http.StatusBadRequest, "", nil},
		{"no flow", func(_ *browser, f url.Values) { f.Del("flow") }, http.StatusBadRequest, "", nil},
		{"too late", func(b *browser, _ url.Values) { b.now = b.now.Add(oauth2.FlowLifetime) }, http.StatusBadRequest, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEnv(t)
			e.client()
			e.user("cus_alice")
			b := e.browser()
			b.login("cus_alice@demo.example")
			f := b.get("/consent?flow=" + b.flow("cus_alice")).fields()
			f["scope"], f["decision"] = []string{"points:read", "points:write"}, []string{"approve"}
			c.change(b, f)
			r := b.post("/consent", f)
			if to := r.Header.Get("Location"); r.StatusCode != c.status || !strings.Contains(to, c.to) || c.to == "" && to != "" {
				t.Errorf("answer %d to %q, want %d to …%s…\n%s", r.StatusCode, to, c.status, c.to, r.body)
			}
			if diff := cmp.Diff(c.granted, e.scopesGiven("cus_alice")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConsentIsGivenOnce(t *testing.T) {
	e := newEnv(t)
	e.client()
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	f := b.get("/consent?flow=" + b.flow("cus_alice")).fields()
	f["scope"], f["decision"] = []string{"points:read"}, []string{"approve"}
	if r := b.post("/consent", f); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("the first time: %d", r.StatusCode)
	}
	r := b.post("/consent", f)
	r.is(t, http.StatusBadRequest, "")
	r.shows(t, "no longer open", "go back to the app")
	if got := e.scopesGiven("cus_alice"); len(got) != 1 {
		t.Errorf("%d grants, want 1", len(got))
	}
}

func TestConsentOfAnotherSession(t *testing.T) {
	e := newEnv(t)
	e.client()
	e.user("cus_alice")
	e.user("cus_bob")
	alice, bob := e.browser(), e.browser()
	alice.login("cus_alice@demo.example")
	flow := alice.flow("cus_alice")
	bob.login("cus_bob@demo.example")
	bob.get("/consent?flow="+flow).is(t, http.StatusBadRequest, "")

	f := bob.get("/account").fields() // a good token, but bob's
	f.Set("flow", flow)
	f.Set("decision", "approve")
	f.Set("scope", "points:read")
	bob.post("/consent", f).is(t, http.StatusBadRequest, "")
	alice.post("/consent", f).is(t, http.StatusForbidden, "")
	if got := e.scopesGiven("cus_alice"); got != nil {
		t.Errorf("grants %v, want none", got)
	}
}

func TestApps(t *testing.T) {
	e := newEnv(t)
	e.client()
	e.user("cus_alice")
	e.user("cus_bob")
	alice, bob := e.browser(), e.browser()
	alice.login("cus_alice@demo.example")
	bob.login("cus_bob@demo.example")
	alice.get("/account/apps").shows(t, "No app may use your account")
	f := alice.get("/consent?flow=" + alice.flow("cus_alice")).fields()
	f["scope"], f["decision"] = []string{"points:read"}, []string{"approve"}
	alice.post("/consent", f)

	r := alice.get("/account/apps")
	r.shows(t, "Coffee &lt;b&gt;Club&lt;/b&gt;", "see your points and their history", "22 November 2026")
	revoke := r.fields()

	theirs := bob.get("/account").fields()
	theirs.Set("client", revoke.Get("client"))
	bob.post("/account/apps/revoke", theirs).is(t, http.StatusForbidden, "")
	theirs.Set("client", "unknown")
	bob.post("/account/apps/revoke", theirs).is(t, http.StatusForbidden, "")

	csrf := revoke.Get("csrf")
	revoke.Set("csrf", "guess")
	alice.post("/account/apps/revoke", revoke).is(t, http.StatusForbidden, "")
	alice.get("/account/apps").shows(t, "Coffee")

	revoke.Set("csrf", csrf)
	alice.post("/account/apps/revoke", revoke).is(t, http.StatusSeeOther, "/account/apps?done=revoked")
	alice.get("/account/apps?done=revoked").shows(t, "has been disconnected", "No app may use your account")
}

// swapped is s with its first two characters exchanged for others.
func swapped(s string) string {
	if strings.HasPrefix(s, "AA") {
		return "BB" + s[2:]
	}
	return "AA" + s[2:]
}
