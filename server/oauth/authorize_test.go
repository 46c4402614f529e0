package oauth_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
)

func TestAuthorizeShowsAPage(t *testing.T) {
	each(t, func(w *world) {
		w.client("two", "", func(c *store.Client) {
			c.Public, c.RedirectURIs = true, store.Words{callback, "https://app.example/cb?x=1", "com.example.app:/cb", "http://localhost:9090/cb"}
		})
		for name, q := range map[string]url.Values{
			"the client is missing":                 asks("client_id", ""),
			"the client is unknown":                 asks("client_id", "nobody"),
			"the client is another's":               asks("client_id", "other-web"),
			"the client has odd characters":         asks("client_id", "demo\x01web"),
			"a slash more":                          asks("redirect_uri", callback+"/"),
			"a query more":                          asks("redirect_uri", callback+"?a=b"),
			"a fragment":                            asks("redirect_uri", callback+"#f"),
			"an empty fragment":                     asks("redirect_uri", callback+"#"),
			"another case":                          asks("redirect_uri", strings.Replace(callback, "callback", "Callback", 1)),
			"another case of the scheme":            asks("redirect_uri", strings.Replace(callback, "http", "HTTP", 1)),
			"another scheme":                        asks("redirect_uri", strings.Replace(callback, "http", "https", 1)),
			"a user name":                           asks("redirect_uri", strings.Replace(callback, "//", "//evil@", 1)),
			"another host":                          asks("redirect_uri", "http://evil.example/callback"),
			"another spelling":                      asks("redirect_uri", strings.Replace(callback, "callback", "%63allback", 1)),
			"dots":                                  asks("redirect_uri", strings.Replace(callback, "callback", "x/../callback", 1)),
			"a pushed request that is none":         asks("request_uri", "urn:ietf:params:oauth:request_uri:x"),
			"javascript":                            asks("redirect_uri", "javascript:alert(1)"),
			"another port of localhost":             asks("client_id", "two", "redirect_uri", "http://localhost:9999/cb"),
			"another port of a host":                asks("client_id", "two", "redirect_uri", "https://app.example:444/cb?x=1"),
			"no address and several to choose from": asks("client_id", "two", "redirect_uri", ""),
			"a client without addresses":            asks("client_id", "demo-service", "redirect_uri", ""),
		} {
			w.sub(name, func(w *world) { w.wantPage(w.authorize(q)) })
		}
		for _, name := range []string{"client_id", "redirect_uri"} {
			w.sub(name+" twice", func(w *world) {
				q := asks()
				q.Add(name, q.Get(name))
				w.wantPage(w.authorize(q))
			})
		}
		for name, query := range map[string]string{"not UTF-8": "&x=%ff", "NUL": "&x=%00", "half an escape": "&x=%4", "semicolon": ";x=1"} {
			w.sub(name, func(w *world) {
				w.wantPage(w.do("GET", "/oauth2/authorize?"+asks().Encode()+query, "", map[string]string{"X-Person": "cus_alice"}))
			})
		}
		w.sub("a disabled client", func(w *world) {
			w.exec(`UPDATE clients SET disabled_at = 1 WHERE id = 'two'`)
			w.wantPage(w.authorize(asks("client_id", "two")))
		})
	})
}

func (w *world) wantPage(r reply) {
	w.Helper()
	if r.status != 400 || r.header.Get("Location") != "" || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		w.Errorf("got %d, Location %q, %s; want a page of status 400", r.status, r.header.Get("Location"), r.body)
	}
	if r.header.Get("Cache-Control") != "no-store" || r.header.Get("Referrer-Policy") != "no-referrer" {
		w.Errorf("headers of a page: %v", r.header)
	}
}

// TestAuthorizeTellsTheClient: before login and consent, with iss and state.
func TestAuthorizeTellsTheClient(t *testing.T) {
	each(t, func(w *world) {
		for name, c := range map[string]struct {
			q    url.Values
			code string
		}{
			"response_type is missing":        {asks("response_type", ""), "invalid_request"},
			"token":                           {asks("response_type", "token"), "unsupported_response_type"},
			"code and token":                  {asks("response_type", "code token"), "unsupported_response_type"},
			"an unknown scope":                {asks("scope", "points:read points:steal"), "invalid_scope"},
			"a scope of another case":         {asks("scope", "Points:Read"), "invalid_scope"},
			"a scope below an allowed one":    {asks("scope", "points:read.all"), "invalid_scope"},
			"a scope that the client has not": {asks("scope", "admin"), "invalid_scope"},
			"no scope":                        {asks("scope", ""), "invalid_scope"},
			"nothing but to stay":             {asks("scope", "offline_access"), "invalid_scope"},
			"no challenge":                    {asks("code_challenge", ""), "invalid_request"},
			"no method":                       {asks("code_challenge_method", ""), "invalid_request"},
			"plain":                           {asks("code_challenge_method", "plain"), "invalid_request"},
			"an unknown method":               {asks("code_challenge_method", "S512"), "invalid_request"},
			"a short challenge":               {asks("code_challenge", challenge(verifier)[1:]), "invalid_request"},
			"a long challenge":                {asks("code_challenge", challenge(verifier)+"A"), "invalid_request"},
			"a challenge in base64":           {asks("code_challenge", strings.Repeat("+", 43)), "invalid_request"},
			"an unknown response_mode":        {asks("response_mode", "jwt"), "invalid_request"},
			"a fragment as answer":            {asks("response_mode", "fragment"), "invalid_request"},
			"a form as answer":                {asks("response_mode", "form_post"), "invalid_request"},
			"a request object":                {asks("request", "eyJ"), "request_not_supported"},
			"a request object with openid":    {asks("request", "eyJ", "scope", "openid points:read"), "request_not_supported"},
			"a request_uri":                   {asks("request_uri", "http://127.0.0.1:1/"), "request_uri_not_supported"},
			"registration":                    {asks("registration", "{}"), "registration_not_supported"},
			"another resource":                {asks("resource", "http://other.localhost/api"), "invalid_target"},
			"a relative resource":             {asks("resource", "/api"), "invalid_target"},
			"a resource with a fragment":      {asks("resource", issuer+"/api#x"), "invalid_target"},
		} {
			w.sub(name, func(w *world) {
				for _, person := range []string{"", "cus_alice"} {
					r := w.do("GET", "/oauth2/authorize?"+c.q.Encode(), "", map[string]string{"X-Person": person})
					if r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), callback+"?") {
						w.Fatalf("got %d %q", r.status, r.header.Get("Location"))
					}
					got := map[string]string{"error": r.location("error"), "state": r.location("state"), "iss": r.location("iss")}
					if diff := cmp.Diff(map[string]string{"error": c.code, "state": "st", "iss": issuer}, got); diff != "" {
						w.Error(diff)
					}
				}
			})
		}
		for _, name := range []string{"scope", "state", "code_challenge", "response_type", "unknown"} {
			w.sub(name+" twice", func(w *world) {
				q := asks(name, "x")
				q.Add(name, "x")
				if r := w.authorize(q); r.status != 303 || r.location("error") != "invalid_request" {
					w.Errorf("got %d %q", r.status, r.header.Get("Location"))
				}
			})
		}
		w.sub("a client of another kind", func(w *world) {
			w.exec(`UPDATE clients SET grant_types = 'refresh_token' WHERE id = 'demo-web'`)
			if r := w.authorize(asks()); r.location("error") != "unauthorized_client" {
				w.Errorf("got %d %q", r.status, r.header.Get("Location"))
			}
		})
	})
}

func TestAuthorizeGoesOn(t *testing.T) {
	each(t, func(w *world) {
		w.sub("to the login and back", func(w *world) {
			q := asks("state", "a&b=c+ü")
			r := w.do("GET", "/oauth2/authorize?"+q.Encode(), "", nil)
			if r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), "/login?return_to=") {
				w.Fatalf("got %d %q", r.status, r.header.Get("Location"))
			}
			back := r.location("return_to")
			if !strings.HasPrefix(back, "/oauth2/authorize/continue?flow=") {
				w.Fatalf("return_to %q", back)
			}
			r = w.do("GET", back, "", map[string]string{"X-Person": "cus_alice"})
			f, err := w.provider.OpenFlow(r.location("flow"), "cus_alice", "ses_1")
			if err != nil || f.State != "a&b=c+ü" {
				w.Errorf("got %+v, %v", f, err)
			}
		})
		w.sub("to consent, by POST too", func(w *world) {
			h := map[string]string{"X-Person": "cus_alice", "Content-Type": "application/x-www-form-urlencoded"}
			for _, r := range []reply{w.authorize(asks()), w.do("POST", "/oauth2/authorize", asks().Encode(), h)} {
				if r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), "/consent?flow=") {
					w.Errorf("got %d %q", r.status, r.header.Get("Location"))
				}
			}
			r := w.do("POST", "/oauth2/authorize?client_id=demo-web", asks().Encode(), h)
			w.wantPage(r)
		})
		w.sub("with what was asked", func(w *world) {
			f := w.flow(asks())
			if f.ClientName != "The app demo-web" || f.RedirectHost != "127.0.0.1:9090" || f.Tenant != "demo" {
				w.Errorf("got %+v", f)
			}
			if diff := cmp.Diff([]string{"points:read", "points:write", "offline_access"}, f.Scopes); diff != "" {
				w.Error(diff)
			}
		})
		w.sub("on loopback with any port", func(w *world) {
			if f := w.flow(asks("redirect_uri", "http://127.0.0.1:51234/callback")); f.RedirectHost != "127.0.0.1:51234" {
				w.Errorf("got %q", f.RedirectHost)
			}
		})
		for name, changes := range map[string][]string{
			"without an address where one is registered": {"redirect_uri", ""},
			"with the resource":                          {"resource", issuer + "/api"},
			"with the query mode":                        {"response_mode", "query"},
			"with an unknown audience":                   {"audience", "https://elsewhere.example"},
			"with empty parameters":                      {"state", ""},
		} {
			w.sub(name, func(w *world) { w.flow(asks(changes...)) })
		}
		w.sub("not without what the person may give", func(w *world) {
			q := asks("scope", "points:transfer offline_access")
			r := w.do("GET", "/oauth2/authorize?"+q.Encode(), "", map[string]string{"X-Person": "stf_manager"})
			if r.location("error") != "invalid_scope" {
				w.Errorf("got %d %q", r.status, r.header.Get("Location"))
			}
		})
		w.sub("not with a flood of parameters", func(w *world) {
			h := map[string]string{"X-Person": "cus_alice"}
			if r := w.do("GET", "/oauth2/authorize?"+asks("state", strings.Repeat("a", 9000)).Encode(), "", h); r.status != 413 {
				w.Errorf("9000 bytes: got %d", r.status)
			}
			w.wantPage(w.do("GET", "/oauth2/authorize?"+asks().Encode()+strings.Repeat("&a=b", 70), "", h))
		})
	})
}
