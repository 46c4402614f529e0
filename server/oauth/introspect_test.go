package oauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

const inactive = `{"active":false}`

func token(t string, changes ...string) url.Values { return with(url.Values{"token": {t}}, changes...) }

func TestIntrospect(t *testing.T) {
	each(t, func(w *world) {
		w.client("second", "second-secret", nil)
		access, refresh := w.tokens("demo-web")
		const login = `"acr":"urn:pointgate:acr:1fa","auth_time":1795348800,"amr":["pwd"]}`
		live := `{"active":true,"scope":"points:read points:write offline_access","client_id":"demo-web","sub":"cus_alice",` +
			`"token_type":"Bearer","iat":1795348800,"exp":1795349700,"iss":"http://demo.localhost","aud":"http://demo.localhost/api",` + login
		own := `{"active":true,"scope":"points:read points:write offline_access","client_id":"demo-web","sub":"cus_alice",` +
			`"iat":1795348800,"exp":1797940800,"iss":"http://demo.localhost","aud":"http://demo.localhost/api",` + login
		for name, c := range map[string]struct {
			client string
			form   url.Values
			body   string
		}{
			"a resource server of the audience":    {"demo-gateway", token(access), live},
			"the client it was issued to":          {"demo-web", token(access), live},
			"a wrong hint":                         {"demo-gateway", token(access, "token_type_hint", "refresh_token"), live},
			"another client":                       {"second", token(access), inactive},
			"its own refresh token":                {"demo-web", token(refresh), own},
			"a refresh token at a resource server": {"demo-gateway", token(refresh), inactive},
			"a refresh token with a hint":          {"demo-gateway", token(refresh, "token_type_hint", "refresh_token"), inactive},
			"a code":                               {"demo-gateway", token(w.code()), inactive},
			"an unknown token":                     {"demo-gateway", token("pga_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43)), inactive},
			"garbage":                              {"demo-gateway", token("garbage"), inactive},
		} {
			w.sub(name, func(w *world) {
				r := w.post("/oauth2/introspect", c.client, c.form)
				w.guarded(r)
				if r.status != 200 || r.body != c.body {
					w.Errorf("got %d %s, want %s", r.status, r.body, c.body)
				}
			})
		}
		for name, c := range map[string]struct {
			client string
			form   url.Values
			status int
			code   string
		}{
			"nobody":            {"", token(access), 401, "invalid_client"},
			"a wrong secret":    {"", token(access, "client_id", "demo-gateway", "client_secret", "wrong"), 401, "invalid_client"},
			"a public client":   {"demo-spa", token(access), 401, "invalid_client"},
			"no token":          {"demo-gateway", url.Values{"x": {"y"}}, 400, "invalid_request"},
			"a token twice":     {"demo-gateway", url.Values{"token": {access, access}}, 400, "invalid_request"},
			"access_token only": {"demo-gateway", url.Values{"access_token": {access}}, 400, "invalid_request"},
		} {
			w.sub(name, func(w *world) {
				r := w.post("/oauth2/introspect", c.client, c.form)
				w.want(r, c.status, c.code)
				w.guarded(r)
			})
		}
		w.sub("a bearer token is no client", func(w *world) {
			h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Bearer " + access}
			w.want(w.do("POST", "/oauth2/introspect", token(access).Encode(), h), 401, "invalid_client")
		})
		w.sub("a token in the URL", func(w *world) {
			h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic("demo-gateway", "demo-gateway-secret")}
			w.want(w.do("POST", "/oauth2/introspect?token="+access, "", h), 400, "invalid_request")
		})
		w.sub("of another tenant", func(w *world) {
			w.exec(`UPDATE clients SET introspects = 'http://demo.localhost/api' WHERE id = 'other-web'`)
			h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "X-Tenant": "other", "Authorization": basic("other-web", "other-web-secret")}
			if r := w.do("POST", "/oauth2/introspect", token(access).Encode(), h); r.body != inactive {
				w.Errorf("got %d %s", r.status, r.body)
			}
		})
		w.sub("a used refresh token", func(w *world) {
			w.post("/oauth2/token", "demo-web", again(refresh))
			if r := w.post("/oauth2/introspect", "demo-web", token(refresh)); r.body != inactive {
				w.Errorf("got %s", r.body)
			}
		})
		w.sub("an expired token", func(w *world) {
			w.pass(15 * time.Minute)
			if r := w.post("/oauth2/introspect", "demo-gateway", token(access)); r.body != inactive {
				w.Errorf("got %s", r.body)
			}
		})
	})
}

func TestRevoke(t *testing.T) {
	each(t, func(w *world) {
		w.client("second", "second-secret", nil)
		done := func(w *world, r reply) {
			w.Helper()
			if r.status != 200 || r.header.Get("Cache-Control") != "no-store" || r.header.Get("Content-Type") != "application/json" || r.body != "" {
				w.Errorf("got %d %s", r.status, r.body)
			}
		}
		w.sub("an access token, alone, also with a wrong hint", func(w *world) {
			access, refresh := w.tokens("demo-web")
			for range 2 { // the second time is fine too
				done(w, w.post("/oauth2/revoke", "demo-web", token(access, "token_type_hint", "refresh_token")))
			}
			if s := w.status(access); s != oauth2.Revoked {
				w.Errorf("it is %s", s)
			}
			if r := w.post("/oauth2/introspect", "demo-gateway", token(access)); r.body != inactive {
				w.Errorf("it is %s", r.body)
			}
			w.want(w.post("/oauth2/token", "demo-web", again(refresh)), 200, "")
		})
		w.sub("a refresh token, with its whole grant", func(w *world) {
			access, refresh := w.tokens("demo-web")
			done(w, w.post("/oauth2/revoke", "demo-web", token(refresh)))
			if s := w.status(access); s != oauth2.Revoked {
				w.Errorf("the access token is %s", s)
			}
			w.want(w.post("/oauth2/token", "demo-web", again(refresh)), 400, "invalid_grant")
			done(w, w.post("/oauth2/revoke", "demo-web", token(refresh)))
		})
		w.sub("a public client's", func(w *world) {
			access, _ := w.tokens("demo-spa")
			done(w, w.post("/oauth2/revoke", "demo-spa", token(access)))
			if s := w.status(access); s != oauth2.Revoked {
				w.Errorf("it is %s", s)
			}
		})
		w.sub("what is not there is fine", func(w *world) {
			for _, t := range []string{"garbage", "pga_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43), w.code()} {
				done(w, w.post("/oauth2/revoke", "demo-web", token(t)))
			}
		})
		w.sub("not another client's", func(w *world) {
			access, refresh := w.tokens("demo-web")
			for _, t := range []string{access, refresh} {
				r := w.post("/oauth2/revoke", "second", token(t))
				w.want(r, 400, "unauthorized_client")
				w.guarded(r)
			}
			if s := w.status(access); s != oauth2.Valid {
				w.Errorf("it is %s all the same", s)
			}
			w.want(w.post("/oauth2/token", "demo-web", again(refresh)), 200, "")
		})
		w.sub("not by strangers, and not nothing", func(w *world) {
			access, _ := w.tokens("demo-web")
			w.want(w.post("/oauth2/revoke", "", token(access, "client_id", "demo-web")), 401, "invalid_client")
			w.want(w.post("/oauth2/revoke", "", token(access)), 401, "invalid_client")
			w.want(w.post("/oauth2/revoke", "demo-web", url.Values{"x": {"y"}}), 400, "invalid_request")
		})
	})
}

// TestNothingIsCalledDoneThatIsNot: with the store gone, everything that needs
// it is a 503 that says so, and nothing of the cause.
func TestNothingIsCalledDoneThatIsNot(t *testing.T) {
	each(t, func(w *world) {
		access, refresh := w.tokens("demo-web")
		code := w.code()
		f := w.flow(asks())
		if err := w.db.Close(); err != nil {
			w.Fatal(err)
		}
		for name, r := range map[string]reply{
			"a code":                 w.post("/oauth2/token", "demo-web", redeem(code)),
			"a refresh token":        w.post("/oauth2/token", "demo-web", again(refresh)),
			"client credentials":     w.post("/oauth2/token", "demo-service", url.Values{"grant_type": {"client_credentials"}}),
			"introspection":          w.post("/oauth2/introspect", "demo-gateway", token(access)),
			"revocation":             w.post("/oauth2/revoke", "demo-web", token(access)),
			"revocation by a public": w.post("/oauth2/revoke", "demo-spa", token(access)),
		} {
			w.sub(name, func(w *world) {
				w.want(r, 503, "temporarily_unavailable")
				w.guarded(r)
				if strings.Contains(r.body, "sql") || strings.Contains(r.body, "database") {
					w.Errorf("tells too much: %s", r.body)
				}
			})
		}
		if r := w.authorize(asks()); r.status != 503 || r.header.Get("Location") != "" {
			w.Errorf("authorize: %d %q", r.status, r.header.Get("Location"))
		}
		_, err := w.approve(f, f.Scopes)
		w.wantCode(err, "temporarily_unavailable")
		if _, err := w.provider.Lookup(t.Context(), access); err == nil || err == store.ErrNotFound {
			w.Errorf("lookup: %v", err)
		}
	})
}
