package oauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/store"
)

// pushed pushes a good request, with changes, as one client, and gives its handle.
func (w *world) pushed(client string, changes ...string) string {
	w.Helper()
	r := w.post("/oauth2/par", client, asks(append([]string{"client_id", client}, changes...)...))
	w.want(r, 201, "")
	return r.field("request_uri")
}

// bring is the browser that comes with a handle.
func (w *world) bring(client, handle string, changes ...string) reply {
	w.Helper()
	return w.authorize(with(url.Values{"client_id": {client}, "request_uri": {handle}}, changes...))
}

// consents reports whether the browser was led to the consent page.
func consents(r reply) bool {
	return r.status == 303 && strings.HasPrefix(r.header.Get("Location"), "/consent?flow=")
}

// TestPush: P4, and the whole way to tokens; the row holds no secret, and the
// handle as a hash.
func TestPush(t *testing.T) {
	each(t, func(w *world) {
		for _, client := range []string{"demo-web", "demo-spa"} {
			r := w.post("/oauth2/par", client, asks("client_id", client, "state", "s&1"))
			w.want(r, 201, "")
			w.guarded(r)
			handle := r.field("request_uri")
			if random, is := strings.CutPrefix(handle, "urn:ietf:params:oauth:request_uri:"); !is || len(random) < 43 || !strings.Contains(r.body, `"expires_in":60`) {
				w.Fatal(r.body)
			}
			f := w.flow(url.Values{"client_id": {client}, "request_uri": {handle}})
			if diff := cmp.Diff([]string{"points:read", "points:write", "offline_access"}, f.Scopes); diff != "" || f.State != "s&1" || f.RedirectURI != callback {
				w.Errorf("%+v", f)
			}
			to, err := w.approve(f, f.Scopes)
			if err != nil {
				w.Fatal(err)
			}
			w.want(w.post("/oauth2/token", client, redeem(sentTo(to).location("code"))), 200, "")
		}
		w.client("by-post", "by-post-secret", nil)
		w.want(w.post("/oauth2/par", "", asks("client_id", "by-post", "client_secret", "by-post-secret")), 201, "")
		k := jwttest.New(w, "ES256")
		w.keyed("by-key", k)
		w.want(w.post("/oauth2/par", "", asks("client_id", "by-key", "client_assertion", w.assertion(k, "by-key", map[string]any{"aud": issuer + "/oauth2/par"}), "client_assertion_type", byAssertion)), 201, "")
		for _, row := range w.pushes() {
			if strings.Contains(row.Form, "secret") || strings.Contains(row.Form, "assertion") || !strings.Contains(row.Form, "code_challenge") || len(row.Hash) != 32 {
				w.Errorf("kept: %s", row.Form)
			}
		}
	})
}

// TestPushesThatAreRefused: P1, P2, P3, P7, P8: 400 in JSON, never a redirect.
func TestPushesThatAreRefused(t *testing.T) {
	each(t, func(w *world) {
		for name, c := range map[string]struct {
			client  string
			changes []string
			status  int
			code    string
		}{
			"nobody":                        {"", nil, 401, "invalid_client"},
			"nobody at all":                 {"", []string{"client_id", ""}, 401, "invalid_client"},
			"a wrong secret":                {"", []string{"client_secret", "x"}, 401, "invalid_client"},
			"a request_uri":                 {"demo-web", []string{"request_uri", "urn:ietf:params:oauth:request_uri:x"}, 400, "invalid_request"},
			"another's request_uri":         {"demo-web", []string{"request_uri", "https://evil.example/"}, 400, "invalid_request"},
			"for another client":            {"demo-gateway", nil, 400, "invalid_request"},
			"for another client, by Basic":  {"demo-web", []string{"client_id", "demo-spa"}, 400, "invalid_request"},
			"no client_id":                  {"demo-web", []string{"client_id", ""}, 400, "invalid_request"},
			"a request object":              {"demo-web", []string{"request", "e30.e30."}, 400, "request_not_supported"},
			"an address not registered":     {"demo-web", []string{"redirect_uri", "https://evil.example/"}, 400, "invalid_request"},
			"a scope that does not exist":   {"demo-web", []string{"scope", "points:steal"}, 400, "invalid_scope"},
			"no challenge":                  {"demo-web", []string{"code_challenge", ""}, 400, "invalid_request"},
			"a plain challenge":             {"demo-web", []string{"code_challenge_method", "plain"}, 400, "invalid_request"},
			"a token":                       {"demo-web", []string{"response_type", "token"}, 400, "unsupported_response_type"},
			"no response_type":              {"demo-web", []string{"response_type", ""}, 400, "invalid_request"},
			"another resource":              {"demo-web", []string{"resource", "https://evil.example/api"}, 400, "invalid_target"},
			"a prompt that is none":         {"demo-web", []string{"prompt", "none login"}, 400, "invalid_request"},
			"a client that asks for itself": {"demo-service", []string{"client_id", "demo-service", "redirect_uri", ""}, 400, "invalid_request"},
			"a large one":                   {"demo-web", []string{"state", strings.Repeat("s", 9<<10)}, 413, "invalid_request"},
			"one that is far too large":     {"demo-web", []string{"state", strings.Repeat("s", 17<<10)}, 413, "invalid_request"},
		} {
			w.sub(name, func(w *world) {
				r := w.post("/oauth2/par", c.client, asks(c.changes...))
				w.want(r, c.status, c.code)
				w.guarded(r)
				if r.header.Get("Location") != "" {
					w.Error("sent to", r.header.Get("Location"))
				}
			})
		}
		w.sub("a parameter twice", func(w *world) {
			form := asks()
			form.Add("scope", "points:read")
			w.want(w.post("/oauth2/par", "demo-web", form), 400, "invalid_request")
		})
		w.sub("parameters in the URL", func(w *world) {
			h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic("demo-web", "demo-web-secret")}
			w.want(w.do("POST", "/oauth2/par?"+asks().Encode(), "", h), 400, "invalid_request")
			h["Content-Type"] = "application/json"
			w.want(w.do("POST", "/oauth2/par", "{}", h), 400, "invalid_request")
		})
		if r := w.do("GET", "/oauth2/par", "", nil); r.status != 405 {
			w.Errorf("GET: %d", r.status)
		}
		if n := len(w.pushes()); n != 0 {
			w.Errorf("%d were kept", n)
		}
	})
}

// TestAPushedRequestIsUsedOnce: P5, P9, and a race.
func TestAPushedRequestIsUsedOnce(t *testing.T) {
	each(t, func(w *world) {
		gone := func(name string, r reply) {
			w.Helper()
			if r.status != 400 || r.header.Get("Location") != "" || !strings.Contains(r.body, "request_uri is not known") {
				w.Errorf("%s: %d %s", name, r.status, r.body)
			}
		}
		handle := w.pushed("demo-web")
		for _, other := range []string{"demo-spa", "demo-gateway", "nobody", "other-web"} {
			gone(other, w.bring(other, handle))
		}
		gone("at another tenant", w.do("GET", "/oauth2/authorize?"+url.Values{"client_id": {"demo-web"}, "request_uri": {handle}}.Encode(), "", map[string]string{"X-Tenant": "other", "X-Person": "cus_olga"}))
		gone("in another case", w.bring("demo-web", handle[:len(handle)-4]+strings.ToLower(handle[len(handle)-4:])+"x"))
		gone("nothing", w.bring("demo-web", "urn:ietf:params:oauth:request_uri:"))
		gone("junk", w.bring("demo-web", "urn:ietf:params:oauth:request_uri:"+strings.Repeat("A", 4000)))
		if r := w.bring("demo-web", handle); !consents(r) {
			w.Errorf("the good one: %d %s", r.status, r.body)
		}
		gone("the second time", w.bring("demo-web", handle))

		late := w.pushed("demo-web")
		w.pass(time.Minute)
		gone("late", w.bring("demo-web", late))

		replies := func(handle string) (led int) {
			for _, r := range parallel(20, func() reply { return w.bring("demo-web", handle) }) {
				if consents(r) {
					led++
				}
			}
			return led
		}
		for range 3 {
			if n := replies(w.pushed("demo-web")); n != 1 {
				w.Errorf("%d of 20 came in with one handle", n)
			}
		}
	})
}

// TestWhatTheBrowserAddsDoesNotCount: P6.
func TestWhatTheBrowserAddsDoesNotCount(t *testing.T) {
	each(t, func(w *world) {
		q := url.Values{
			"client_id": {"demo-web"}, "request_uri": {w.pushed("demo-web", "scope", "points:read", "state", "mine")},
			"scope": {"points:read points:write"}, "state": {"theirs"}, "redirect_uri": {"https://evil.example/"}, "code_challenge": {"x", "y"},
			"response_type": {"token"}, "prompt": {"none"}, "max_age": {"0"}, "request": {"x"}, "dpop_jkt": {"x"}, "resource": {"https://evil.example/"},
		}
		f := w.flow(q)
		if diff := cmp.Diff([]string{"points:read"}, f.Scopes); diff != "" || f.State != "mine" || f.RedirectURI != callback || f.Silent || f.Key != "" || !f.LoginAfter.IsZero() {
			w.Errorf("%s %+v", diff, f)
		}
	})
}

// TestAPushSurvivesALogin: who is not signed in goes to the login page and comes
// back, and the handle is used up all the same.
func TestAPushSurvivesALogin(t *testing.T) {
	each(t, func(w *world) {
		handle := w.pushed("demo-web", "state", "kept")
		path := "/oauth2/authorize?" + url.Values{"client_id": {"demo-web"}, "request_uri": {handle}}.Encode()
		r := w.do("GET", path, "", nil)
		u, err := url.Parse(r.header.Get("Location"))
		if err != nil || r.status != 303 || u.Path != "/login" {
			w.Fatalf("%d %s", r.status, r.header.Get("Location"))
		}
		if r := w.do("GET", u.Query().Get("return_to"), "", map[string]string{"X-Person": "cus_alice"}); !consents(r) {
			w.Errorf("after the login: %d %s", r.status, r.header.Get("Location"))
		}
		if r := w.do("GET", path, "", map[string]string{"X-Person": "cus_alice"}); r.status != 400 {
			w.Errorf("the handle again: %d", r.status)
		}
	})
}

// TestClientsThatMustPush: A12.
func TestClientsThatMustPush(t *testing.T) {
	each(t, func(w *world) {
		w.client("careful", "careful-secret", func(c *store.Client) { c.RequirePAR = true })
		r := w.authorize(asks("client_id", "careful"))
		if r.status != 303 || r.location("error") != "invalid_request" || r.location("state") != "st" || r.location("iss") != issuer {
			w.Errorf("a plain request: %d %s", r.status, r.header.Get("Location"))
		}
		if r := w.authorize(asks("client_id", "careful", "request_uri", "https://evil.example/")); r.location("error") != "request_uri_not_supported" {
			w.Errorf("a foreign request_uri: %s", r.header.Get("Location"))
		}
		if r := w.bring("careful", w.pushed("careful")); !consents(r) {
			w.Errorf("a pushed one: %d %s", r.status, r.body)
		}
	})
}

// TestWhatChangedSinceThePush counts: the request is checked again.
func TestWhatChangedSinceThePush(t *testing.T) {
	each(t, func(w *world) {
		a, b, c := w.pushed("demo-web"), w.pushed("demo-web"), w.pushed("demo-web")
		w.exec(`UPDATE clients SET scopes = 'points:read' WHERE id = 'demo-web'`)
		if r := w.bring("demo-web", a); r.location("error") != "invalid_scope" {
			w.Errorf("fewer scopes: %s", r.header.Get("Location"))
		}
		w.exec(`UPDATE clients SET redirect_uris = 'https://moved.example/' WHERE id = 'demo-web'`)
		if r := w.bring("demo-web", b); r.status != 400 || r.header.Get("Location") != "" {
			w.Errorf("another address: %d %s", r.status, r.header.Get("Location"))
		}
		w.exec(`UPDATE clients SET disabled_at = 1 WHERE id = 'demo-web'`)
		if r := w.bring("demo-web", c); r.status != 400 || r.header.Get("Location") != "" {
			w.Errorf("switched off: %d", r.status)
		}
	})
}

// TestAPushIsDecided: by the policy, with a record; what it refuses is not kept.
func TestAPushIsDecided(t *testing.T) {
	each(t, func(w *world) {
		w.rule("request.push", "house_rule", 403)
		r := w.post("/oauth2/par", "demo-web", asks())
		w.want(r, 400, "unauthorized_client")
		record, err := w.db.Decision(t.Context(), "demo", r.header.Get("X-Decision-Id"))
		if err != nil || record.Allow || record.Code != "house_rule" || record.Subject != "demo-web" || record.Action != "request.push" {
			w.Errorf("%v %+v", err, record)
		}
		w.rule("", "", 0)
		w.want(w.post("/oauth2/par", "demo-web", asks()), 201, "")
		if n := len(w.pushes()); n != 1 {
			w.Errorf("%d are kept, want the one that was allowed", n)
		}
		w.alter("ALTER TABLE pushed_requests RENAME TO gone")
		w.want(w.post("/oauth2/par", "demo-web", asks()), 503, "temporarily_unavailable")
		if r := w.bring("demo-web", "urn:ietf:params:oauth:request_uri:x"); r.status != 503 {
			w.Errorf("authorize: %d", r.status)
		}
	})
}

// TestAPushWithAProof: RFC 9449 §10.1.
func TestAPushWithAProof(t *testing.T) {
	each(t, func(w *world) {
		k, other := jwttest.New(w, "ES256"), jwttest.New(w, "ES256")
		h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic("demo-web", "demo-web-secret")}
		push := func(proof string, changes ...string) reply {
			h["DPoP"] = proof
			return w.do("POST", "/oauth2/par", asks(changes...).Encode(), h)
		}
		proof := func() string { return k.Proof(w, "POST", issuer+"/oauth2/par", w.now(), nil) }
		one := proof()
		r := push(one)
		w.want(r, 201, "")
		if f := w.flow(url.Values{"client_id": {"demo-web"}, "request_uri": {r.field("request_uri")}}); f.Key != k.Thumbprint() {
			w.Errorf("bound to %q", f.Key)
		}
		w.want(push(one), 400, "invalid_dpop_proof")
		w.want(push(k.Proof(w, "POST", issuer+"/oauth2/token", w.now(), nil)), 400, "invalid_dpop_proof")
		w.want(push(proof(), "dpop_jkt", k.Thumbprint()), 201, "")
		w.want(push(proof(), "dpop_jkt", other.Thumbprint()), 400, "invalid_request")
	})
}

// TestStrangersPushSlowly: who only says that they are a public client leaves few
// rows and records; who has proven it is not held up.
func TestStrangersPushSlowly(t *testing.T) {
	each(t, func(w *world) {
		w.charged = map[string]int{}
		for n := range 62 {
			r := w.post("/oauth2/par", "demo-spa", asks("client_id", "demo-spa"))
			if n < 60 {
				w.want(r, 201, "")
				continue
			}
			w.want(r, 429, "temporarily_unavailable")
			if r.header.Get("Retry-After") != "60" {
				w.Error(r.header)
			}
		}
		w.want(w.post("/oauth2/par", "demo-web", asks("client_id", "demo-web")), 201, "")
	})
}
