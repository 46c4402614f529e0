package pages_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

const goodbye = "https://app.example/bye?a=b"

// idToken is one for the app and the person's newest session, or for none.
func (e *env) idToken(person, session string) string {
	e.t.Helper()
	ctx, verifier := context.Background(), strings.Repeat("v", 43)
	challenge := sha256.Sum256([]byte(verifier))
	f, err := e.provider.Authorize(ctx, e.tenant, url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {callback}, "scope": {"openid points:read"},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	})
	must(e.t, err)
	who := oauth2.Person{ID: person, Type: "customer", AuthTime: e.now, AMR: []string{"pwd"}, Session: session}
	consent, err := e.provider.Approve(ctx, f, who, f.Scopes)
	must(e.t, err)
	code, err := url.Parse(commit(e, consent))
	must(e.t, err)
	answer, err := e.provider.Token(ctx, &oauth2.Request{Tenant: e.tenant, Form: url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"app"}, "code": {code.Query().Get("code")}, "code_verifier": {verifier}, "redirect_uri": {callback},
	}})
	must(e.t, err)
	return commit(e, answer).IDToken
}

func commit[T any](e *env, p *oauth2.Prepared[T]) (out T) {
	storetest.Write(e.t, e.db, func(tx *store.Tx) (err error) {
		out, err = p.Commit(context.Background(), tx)
		return err
	})
	return out
}

func (e *env) clients() {
	storetest.Client(e.t, e.db, "demo", "app", func(c *store.Client) {
		c.Name, c.Public, c.Scopes, c.LogoutURIs = "The <app>", true, store.Words{"openid", "points:read"}, store.Words{goodbye, "https://app.example/"}
	})
	storetest.Client(e.t, e.db, "demo", "second", func(c *store.Client) { c.LogoutURIs = store.Words{"https://second.example/"} })
}

// session is the id of the person's newest one.
func (e *env) session(person string) string {
	e.t.Helper()
	open, err := store.Sessions(context.Background(), e.db, store.SessionFilter{Tenant: "demo", User: person, Limit: 1})
	must(e.t, err)
	return open[0].ID
}

func (b *browser) signedIn() bool { return b.get("/account").StatusCode == http.StatusOK }

func TestLogoutAtAClient(t *testing.T) {
	e := newEnv(t)
	e.clients()
	e.user("cus_alice")
	e.user("cus_bob")
	b := e.browser()
	path := func(pairs ...string) string {
		q := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return "/oauth2/logout?" + q.Encode()
	}
	again := func() string {
		b = e.browser()
		e.now = e.now.Add(time.Second) // sessions are told apart by their time
		b.login("cus_alice@demo.example")
		return e.idToken("cus_alice", e.session("cus_alice"))
	}

	t.Run("an ID token of this session ends it", func(t *testing.T) {
		hint := again()
		b.get(path("id_token_hint", hint, "post_logout_redirect_uri", goodbye, "state", "a&b")).is(t, http.StatusSeeOther, goodbye+"&state=a%26b")
		if b.signedIn() || b.cookies["pg_session"] != "" {
			t.Error("still signed in")
		}
		if all := e.recorded("session.revoke"); len(all) != 1 || !all[0].Allow || all[0].Subject != "cus_alice" {
			t.Errorf("recorded: %+v", all)
		}
		// Whoever is signed out goes on.
		b.get(path("id_token_hint", hint, "post_logout_redirect_uri", goodbye)).is(t, http.StatusSeeOther, goodbye)
		b.get(path()).is(t, http.StatusSeeOther, "/")
	})
	t.Run("also one that has expired", func(t *testing.T) {
		hint := again()
		e.now = e.now.Add(time.Hour)
		b.get(path("id_token_hint", hint)).is(t, http.StatusSeeOther, "/")
		if b.signedIn() {
			t.Error("still signed in")
		}
	})
	t.Run("a form of a client is asked once more by GET", func(t *testing.T) {
		hint := again()
		cookies := b.cookies
		b.cookies = map[string]string{} // SameSite=Lax: browsers leave them at home
		b.header = map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}
		r := b.post("/oauth2/logout", url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {goodbye}})
		to := r.Header.Get("Location")
		if r.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/oauth2/logout?request=") {
			t.Fatalf("%d to %q", r.StatusCode, to)
		}
		b.cookies, b.header = cookies, nil
		b.get(to).is(t, http.StatusSeeOther, goodbye)
		if b.signedIn() {
			t.Error("still signed in")
		}
	})
	t.Run("without proof the person is asked", func(t *testing.T) {
		hint := again()
		e.now = e.now.Add(time.Second)
		e.browser().login("cus_alice@demo.example")
		other := e.idToken("cus_alice", e.session("cus_alice")) // of another browser
		for name, q := range map[string][]string{
			"nothing": nil, "a client's id": {"client_id", "app"}, "another session": {"id_token_hint", other},
			"another person": {"id_token_hint", e.idToken("cus_bob", "ses_x")}, "junk": {"id_token_hint", "junk"},
			"changed": {"id_token_hint", hint[:len(hint)-8] + "AAAAAAAA"}, "without a signature": {"id_token_hint", strings.Join(strings.Split(hint, ".")[:2], ".") + "."},
		} {
			r := b.get(path(q...))
			if r.StatusCode != http.StatusOK || !b.signedIn() {
				t.Errorf("%s: %d, signed in: %v", name, r.StatusCode, b.signedIn())
			}
			r.shows(t, "Sign out?", "cus_alice@demo.example")
		}
		r := b.get(path("client_id", "app", "post_logout_redirect_uri", goodbye, "state", "s"))
		r.shows(t, "The &lt;app&gt;", "app.example")
		if csp := r.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "form-action 'self' https://app.example") {
			t.Errorf("the policy stops the browser in front of the client: %s", csp)
		}
		form := r.fields()
		forged := url.Values{"request": form["request"], "csrf": {"guess"}}
		b.post("/oauth2/logout", forged).is(t, http.StatusForbidden, "")
		b.header = map[string]string{"Sec-Fetch-Site": "cross-site"}
		b.post("/oauth2/logout", form).is(t, http.StatusForbidden, "")
		b.header = nil
		if !b.signedIn() {
			t.Fatal("signed out by a form of another site")
		}
		b.post("/oauth2/logout", form).is(t, http.StatusSeeOther, goodbye+"&state=s")
		if b.signedIn() {
			t.Error("still signed in")
		}
	})
	t.Run("it leads nowhere but where the client has registered", func(t *testing.T) {
		hint := again()
		tenant := *e.tenant
		sealed := e.provider.SealLogout(&oauth2.Logout{Redirect: goodbye}, "other")
		for name, q := range map[string][]string{
			"not registered":        {"id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/"},
			"registered and more":   {"id_token_hint", hint, "post_logout_redirect_uri", goodbye + "&c=d"},
			"below a registered":    {"id_token_hint", hint, "post_logout_redirect_uri", "https://app.example/x"},
			"of another client":     {"id_token_hint", hint, "post_logout_redirect_uri", "https://second.example/"},
			"of two clients":        {"id_token_hint", hint, "client_id", "second", "post_logout_redirect_uri", "https://second.example/"},
			"of nobody":             {"post_logout_redirect_uri", goodbye},
			"of an unknown client":  {"client_id", "nobody", "post_logout_redirect_uri", goodbye},
			"by a bad hint":         {"id_token_hint", "junk", "post_logout_redirect_uri", goodbye},
			"sealed at another":     {"request", sealed},
			"sealed by nobody":      {"request", "AAAA"},
			"of a login that waits": {"request", e.provider.SealLogin(&oauth2.Flow{Tenant: tenant.ID, RedirectURI: "https://evil.example/"})},
		} {
			for who, b := range map[string]*browser{"signed in": b, "signed out": e.browser()} {
				if r := b.get(path(q...)); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
					t.Errorf("%s, %s: %d to %q", name, who, r.StatusCode, r.Header.Get("Location"))
				}
			}
		}
		b.get(path("post_logout_redirect_uri", goodbye)+"&client_id=app&client_id=app").is(t, http.StatusBadRequest, "")
		b.get("/oauth2/logout?state=%ff").is(t, http.StatusBadRequest, "")
		if !b.signedIn() {
			t.Error("signed out by a bad request")
		}
	})
	t.Run("a request that waited for too long", func(t *testing.T) {
		again()
		form := b.get(path("client_id", "app")).fields()
		e.now = e.now.Add(oauth2.LogoutLifetime)
		b.post("/oauth2/logout", form).is(t, http.StatusBadRequest, "")
		if !b.signedIn() {
			t.Error("signed out")
		}
	})
}
