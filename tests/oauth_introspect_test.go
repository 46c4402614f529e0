package tests

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const inactive = `{"active":false}`

func shows(token string, changes ...string) url.Values {
	return with(url.Values{"token": {token}}, changes...)
}

// introspections: who may ask, and what they learn (RFC 7662).
func (p *proof) introspections(t *testing.T) {
	const path = "/oauth2/introspect"
	live := p.tokens(t, "demo-web")
	for name, c := range map[string]struct {
		authorization, body string
		status              int
	}{
		"I1 nobody":                  {"", "token=" + live.Access, 401},
		"I1 a wrong secret":          {basic("demo-gateway:wrong"), "token=" + live.Access, 401},
		"I1 an unknown client":       {basic("nobody:x"), "token=" + live.Access, 401},
		"I5 a bearer token":          {"Bearer " + live.Access, "token=" + live.Access, 401},
		"I5 a public client":         {"", "client_id=demo-spa&token=" + live.Access, 401},
		"I5 a token of the staff":    {"Bearer " + p.Demo.AdminToken, "token=" + live.Access, 401},
		"I3 no token":                {basic("demo-gateway:demo-gateway-secret"), "token_type_hint=access_token", 400},
		"I3 an empty token":          {basic("demo-gateway:demo-gateway-secret"), "token=", 400},
		"I3 a token by another name": {basic("demo-gateway:demo-gateway-secret"), "access_token=" + live.Access, 400},
	} {
		t.Run(name, func(t *testing.T) {
			code := map[int]string{400: "invalid_request", 401: "invalid_client"}[c.status]
			refuses(t, p.form(t, http.MethodPost, path, urlencoded, c.authorization, c.body), c.status, code)
		})
	}
	gateway := basic("demo-gateway:demo-gateway-secret")
	t.Run("I4 GET", func(t *testing.T) {
		if a := p.form(t, http.MethodGet, path+"?token="+live.Access, "", gateway, ""); a.Status != http.StatusMethodNotAllowed {
			t.Error(a)
		}
	})
	t.Run("I4 a token in the query", func(t *testing.T) {
		refuses(t, p.form(t, http.MethodPost, path+"?token="+live.Access, urlencoded, gateway, ""), 400, "invalid_request")
	})
	p.nothingToTell(t, live.Refresh)
	t.Run("I6 a live token", func(t *testing.T) { p.liveToken(t, live.Access) })
	t.Run("I7 a wrong hint", func(t *testing.T) {
		for _, hint := range []string{"refresh_token", "nonsense"} {
			if a := p.post(t, path, "demo-gateway", shows(live.Access, "token_type_hint", hint)); must(a.At("active"))(t) != "true" {
				t.Errorf("%s: %s", hint, a)
			}
		}
	})
	t.Run("I8 a refresh token asked for by a resource server", func(t *testing.T) {
		for _, hint := range []string{"", "refresh_token"} {
			if a := p.post(t, path, "demo-gateway", shows(live.Refresh, "token_type_hint", hint)); string(a.Body) != inactive {
				t.Error(a)
			}
		}
	})
}

// nothingToTell: what is not good for the one who asks is inactive, and no more
// is said of it.
func (p *proof) nothingToTell(t *testing.T, refresh string) {
	p.register(t, map[string]any{"id": "elsewhere", "name": "Elsewhere", "introspects": []string{"https://elsewhere.example/api"}})
	revoked := p.tokens(t, "demo-web")
	p.post(t, "/oauth2/revoke", "demo-web", shows(revoked.Access))
	for name, c := range map[string]struct{ app, token string }{
		"I2 unknown":                  {"demo-gateway", "pga_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43)},
		"I2 malformed":                {"demo-gateway", "not a token \x01"},
		"I2 very long":                {"demo-gateway", strings.Repeat("a", 8000)},
		"I2 expired":                  {"demo-gateway", p.expired(t).Access},
		"I2 revoked":                  {"demo-gateway", revoked.Access},
		"I2 another tenant's":         {"demo-gateway", p.olgas(t).Access},
		"I2 a code":                   {"demo-gateway", p.code(t)},
		"I2 another resource server":  {"elsewhere", p.tokens(t, "demo-web").Access},
		"I2 another client":           {"second", p.tokens(t, "demo-web").Access},
		"I2 another client's refresh": {"second", refresh},
	} {
		t.Run(name, func(t *testing.T) {
			a := p.post(t, "/oauth2/introspect", c.app, shows(c.token))
			if a.Status != http.StatusOK || string(a.Body) != inactive {
				t.Errorf("got %s", a)
			}
			plain(t, a)
		})
	}
}

func (p *proof) liveToken(t *testing.T, token string) {
	a := p.post(t, "/oauth2/introspect", "demo-gateway", shows(token))
	plain(t, a)
	var got map[string]any
	if err := json.Unmarshal(a.Body, &got); err != nil {
		t.Fatal(err)
	}
	issued, ends := got["iat"].(float64), got["exp"].(float64)
	if ago := time.Now().Unix() - int64(issued); ago < 0 || ago > 60 || ends-issued != 900 {
		t.Errorf("iat %v, exp %v", issued, ends)
	}
	delete(got, "iat")
	delete(got, "exp")
	want := map[string]any{
		"active": true, "scope": "points:read offline_access", "client_id": "demo-web", "sub": "cus_alice",
		"token_type": "Bearer", "iss": p.URL, "aud": p.URL + "/api",
	}
	for name, value := range want {
		if diff := cmp.Diff(value, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// revocations: RFC 7009.
func (p *proof) revocations(t *testing.T) {
	const path = "/oauth2/revoke"
	done := func(t *testing.T, app string, form url.Values) {
		t.Helper()
		if a := p.post(t, path, app, form); a.Status != http.StatusOK || len(a.Body) != 0 {
			t.Errorf("want 200 and nothing, got %s", a)
		}
	}
	t.Run("R1 no token", func(t *testing.T) {
		refuses(t, p.post(t, path, "demo-web", url.Values{"token_type_hint": {"access_token"}}), 400, "invalid_request")
	})
	for name, token := range map[string]string{
		"R2 unknown": "pga_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43), "R2 garbage": "garbage \x01", "R2 a code": p.code(t),
	} {
		t.Run(name, func(t *testing.T) { done(t, "demo-web", shows(token)) })
	}
	t.Run("R3 another client's token", func(t *testing.T) {
		got := p.tokens(t, "demo-web")
		for _, token := range []string{got.Access, got.Refresh} {
			if a := p.post(t, path, "second", shows(token)); a.Status != 400 || a.Code() != "unauthorized_client" && a.Code() != "invalid_grant" {
				t.Error(a)
			}
		}
		if a := must(p.Get("/api/points", got.Access))(t); a.Status != http.StatusOK {
			t.Errorf("it is dead all the same: %s", a)
		}
		accepts(t, p.post(t, "/oauth2/token", "demo-web", again(got.Refresh)))
	})
	t.Run("R4 a wrong hint", func(t *testing.T) {
		got := p.tokens(t, "demo-web")
		done(t, "demo-web", shows(got.Access, "token_type_hint", "nonsense"))
		done(t, "demo-web", shows(got.Refresh, "token_type_hint", "access_token"))
		p.dead(t, "demo-web", got)
	})
	for name, authorization := range map[string]string{"R5 nobody": "", "R5 a wrong secret": basic("demo-web:wrong"), "R5 an unknown client": basic("nobody:x")} {
		t.Run(name, func(t *testing.T) {
			refuses(t, p.form(t, http.MethodPost, path, urlencoded, authorization, "token=x"), 401, "invalid_client")
		})
	}
	t.Run("R6 the refresh token, and so its access tokens", func(t *testing.T) {
		got := p.tokens(t, "demo-web")
		done(t, "demo-web", shows(got.Refresh))
		p.dead(t, "demo-web", got)
		done(t, "demo-web", shows(got.Refresh)) // R9
	})
	t.Run("R7 the access token", func(t *testing.T) {
		got := p.tokens(t, "demo-spa")
		done(t, "demo-spa", shows(got.Access))
		if a := must(p.Get("/api/points", got.Access))(t); a.Status != http.StatusUnauthorized {
			t.Error(a)
		}
	})
	t.Run("R9 twice", func(t *testing.T) {
		got := p.tokens(t, "demo-web")
		done(t, "demo-web", shows(got.Access))
		done(t, "demo-web", shows(got.Access))
	})
	t.Run("R10 GET", func(t *testing.T) {
		if a := p.form(t, http.MethodGet, path+"?token=x", "", basic("demo-web:demo-web-secret"), ""); a.Status != http.StatusMethodNotAllowed {
			t.Error(a)
		}
	})
}
