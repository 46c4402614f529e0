package tests

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/tests/harness"
)

// form sends a body of any kind to the token endpoint, as demo-service by Basic
// unless authorization says otherwise.
func (p *proof) form(t *testing.T, method, path, kind, authorization, body string) *harness.Answer {
	t.Helper()
	h := http.Header{}
	if kind != "" {
		h.Set("Content-Type", kind)
	}
	if authorization != "" {
		h.Set("Authorization", authorization)
	}
	return must(p.Send(harness.Request{Method: method, URL: path, Header: h, Body: body}))(t)
}

const (
	urlencoded = "application/x-www-form-urlencoded"
	byService  = "grant_type=client_credentials&scope=points:read"
)

// basic is an Authorization header with what stands between the Basic and the end.
func basic(plain string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(plain))
}

// requests: what no grant can follow, whichever it is.
func (p *proof) requests(t *testing.T) {
	service := basic("demo-service:demo-service-secret")
	t.Run("T1 GET", func(t *testing.T) {
		a := p.form(t, http.MethodGet, "/oauth2/token?"+byService, "", service, "")
		if a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != http.MethodPost {
			t.Errorf("got %s, Allow %q", a, a.Header.Get("Allow"))
		}
	})
	for name, c := range map[string]struct{ kind, body string }{
		"T2 JSON":                     {"application/json", `{"grant_type":"client_credentials"}`},
		"T2 multipart":                {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--\r\n"},
		"T2 no content type":          {"", byService},
		"T2 text":                     {"text/plain", byService},
		"T4 grant_type is missing":    {urlencoded, "scope=points:read"},
		"T4 grant_type is empty":      {urlencoded, "grant_type=&scope=points:read"},
		"T4 grant_type twice":         {urlencoded, byService + "&grant_type=client_credentials"},
		"T4 scope twice":              {urlencoded, byService + "&scope=points:read"},
		"T4 half an escape":           {urlencoded, byService + "&x=%4"},
		"T4 a body that is not UTF-8": {urlencoded, byService + "&x=%ff"},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, p.form(t, http.MethodPost, "/oauth2/token", c.kind, service, c.body), 400, "invalid_request")
		})
	}
	t.Run("T3 a body above the limit", func(t *testing.T) {
		refuses(t, p.form(t, http.MethodPost, "/oauth2/token", urlencoded, service, byService+"&x="+strings.Repeat("a", 20<<10)), 413, "invalid_request")
	})
	for _, grant := range []string{"magic", "password", "implicit", "authorization_code refresh_token", "CLIENT_CREDENTIALS"} {
		t.Run("T4 grant_type="+grant, func(t *testing.T) {
			body := url.Values{"grant_type": {grant}, "username": {"alice@demo.example"}, "password": {"demo-alice-password"}}
			refuses(t, p.post(t, "/oauth2/token", "demo-web", body), 400, "unsupported_grant_type")
		})
	}
	t.Run("T5 parameters in the query alone", func(t *testing.T) {
		refuses(t, p.form(t, http.MethodPost, "/oauth2/token?"+byService, urlencoded, service, ""), 400, "invalid_request")
	})
	t.Run("T5 a secret in the query", func(t *testing.T) {
		refuses(t, p.form(t, http.MethodPost, "/oauth2/token?client_id=demo-service&client_secret=demo-service-secret", urlencoded, "", byService), 400, "invalid_request")
	})
}

// strangers: who does not prove to be the client gets nothing.
func (p *proof) strangers(t *testing.T) {
	var bodies []string
	for name, authorization := range map[string]string{
		"T6 an unknown client": basic("nobody:demo-service-secret"),
		"T6 a wrong secret":    basic("demo-service:wrong"),
		"T6 an empty secret":   basic("demo-service:"),
		"T6 no authentication": "",
	} {
		t.Run(name, func(t *testing.T) {
			body := byService
			if authorization == "" {
				body += "&client_id=demo-service"
			}
			a := p.form(t, http.MethodPost, "/oauth2/token", urlencoded, authorization, body)
			refuses(t, a, 401, "invalid_client")
			if !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("WWW-Authenticate: %q", a.Header.Get("WWW-Authenticate"))
			}
			bodies = append(bodies, string(a.Body))
		})
	}
	t.Run("T6 the answers tell nothing apart", func(t *testing.T) {
		for _, b := range bodies {
			if b != bodies[0] {
				t.Errorf("%s and %s", bodies[0], b)
			}
		}
	})
	service := basic("demo-service:demo-service-secret")
	for name, more := range map[string]string{
		"T7 a secret in the header and in the body": "&client_id=demo-service&client_secret=demo-service-secret",
		"T7 a secret and an assertion":              "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=e30.e30.e30",
		"T7 a header and another client_id":         "&client_id=demo-web",
	} {
		t.Run(name, func(t *testing.T) {
			a := p.form(t, http.MethodPost, "/oauth2/token", urlencoded, service, byService+more)
			if c := a.Code(); a.Status != 400 && a.Status != 401 || c != "invalid_request" && c != "invalid_client" {
				t.Error(a)
			}
		})
	}
	t.Run("T8 a public client that sends a secret", func(t *testing.T) {
		refuses(t, p.post(t, "/oauth2/token", "", redeems(p.code(t, "client_id", "demo-spa"), "client_id", "demo-spa", "client_secret", "guess")), 401, "invalid_client")
	})
	p.encodedSecrets(t)
}

// encodedSecrets: id and secret are form-encoded inside of Basic (RFC 6749 §2.3.1).
func (p *proof) encodedSecrets(t *testing.T) {
	const odd = "a+b%c:d/é ü"
	p.change(t, `INSERT INTO client_secrets (id, tenant, client_id, hash, created_at) VALUES ('sec_odd', 'demo', 'demo-service', $1, 1)`, oauth2.HashSecret(odd))
	defer p.change(t, `DELETE FROM client_secrets WHERE id = 'sec_odd'`)
	for name, plain := range map[string]string{
		"T9 a secret of odd letters, encoded": "demo-service:" + url.QueryEscape(odd),
		"T9 with %20 for a space":             "demo-service:" + strings.ReplaceAll(url.QueryEscape(odd), "+", "%20"),
		"T9 an id that is encoded":            "%64emo%2Dservice:demo%2Dservice%2Dsecret",
	} {
		t.Run(name, func(t *testing.T) {
			accepts(t, p.form(t, http.MethodPost, "/oauth2/token", urlencoded, basic(plain), byService))
		})
	}
	for name, authorization := range map[string]string{
		"T9 no colon":                 basic("demo-service"),
		"T9 half an escape":           basic("demo-service:demo%2"),
		"T9 not base64":               "Basic !!!",
		"T9 nothing":                  "Basic",
		"T9 another scheme":           "Digest demo-service",
		"T9 odd letters, not encoded": basic("demo-service:" + odd),
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, p.form(t, http.MethodPost, "/oauth2/token", urlencoded, authorization, byService), 401, "invalid_client")
		})
	}
}

// codes: what gets no tokens for a code.
func (p *proof) codes(t *testing.T) {
	for name, app := range map[string]string{"T10 a client without the grant": "demo-service", "T10 a public one": "doors"} {
		t.Run(name, func(t *testing.T) {
			grant := map[string]string{"demo-service": "authorization_code", "doors": "refresh_token"}[app]
			refuses(t, p.post(t, "/oauth2/token", app, redeems("x", "grant_type", grant, "refresh_token", "x")), 400, "unauthorized_client")
		})
	}
	for name, c := range map[string]struct {
		app     string
		changes []string
	}{
		"T11 unknown":                          {"demo-web", []string{"code", "pgc_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43)}},
		"T11 garbage":                          {"demo-web", []string{"code", "garbage"}},
		"T11 another client's":                 {"second", nil},
		"T11 a public client's hands":          {"demo-spa", nil},
		"T12 redirect_uri is missing":          {"demo-web", []string{"redirect_uri", ""}},
		"T12 another redirect_uri":             {"demo-web", []string{"redirect_uri", callback + "/"}},
		"T12 another port":                     {"demo-web", []string{"redirect_uri", "http://127.0.0.1:9999/callback"}},
		"T13 no verifier":                      {"demo-web", []string{"code_verifier", ""}},
		"T13 wrong verifier":                   {"demo-web", []string{"code_verifier", verifier + "x"}},
		"T13 verifier of 42":                   {"demo-web", []string{"code_verifier", verifier[:42]}},
		"T13 verifier of 129":                  {"demo-web", []string{"code_verifier", strings.Repeat("a", 129)}},
		"T13 verifier of odd letters":          {"demo-web", []string{"code_verifier", verifier[:42] + "+"}},
		"T13 the challenge as verifier, plain": {"demo-web", []string{"code_verifier", challenge(verifier)}},
	} {
		t.Run(name, func(t *testing.T) {
			code := p.code(t)
			refuses(t, p.post(t, "/oauth2/token", c.app, redeems(code, c.changes...)), 400, "invalid_grant")
			if !strings.HasPrefix(name, "T13") {
				return
			}
			if a := p.post(t, "/oauth2/token", "demo-web", redeems(code, "code_verifier", "")); a.Status == http.StatusOK {
				t.Error("after a wrong verifier none is needed any more")
			}
		})
	}
	t.Run("T11 expired", func(t *testing.T) {
		code := p.code(t)
		p.change(t, `UPDATE codes SET expires_at = created_at + 1 WHERE used_at IS NULL`)
		refuses(t, p.post(t, "/oauth2/token", "demo-web", redeems(code)), 400, "invalid_grant")
	})
	t.Run("T14 a verifier where there was no challenge", func(t *testing.T) {
		// No code is ever given without one: that is the proof that can be had.
		if q := p.told(t, p.ask(t, asks("code_challenge", "", "code_challenge_method", ""))); q.Get("error") != "invalid_request" {
			t.Errorf("got %v", q)
		}
	})
	t.Run("T15 a code twice", func(t *testing.T) {
		code := p.code(t)
		got := accepts(t, p.post(t, "/oauth2/token", "demo-web", redeems(code)))
		refuses(t, p.post(t, "/oauth2/token", "demo-web", redeems(code)), 400, "invalid_grant")
		p.dead(t, "demo-web", got)
	})
	t.Run("T16 a code twenty times at once", func(t *testing.T) {
		code := p.code(t)
		counts := tally(atOnce(t, 20, func(int) (*harness.Answer, error) {
			app := p.apps["demo-web"]
			return p.Form(p.URL+"/oauth2/token", app.ID, app.Secret, redeems(code))
		}))
		if counts["200 "] != 1 || counts["400 invalid_grant"] != 19 {
			t.Errorf("want one 200 and nineteen invalid_grant, got %v", counts)
		}
	})
}

// dead wants that a grant's tokens are good for nothing, and that everybody says so.
func (p *proof) dead(t *testing.T, app string, got *harness.Tokens) {
	t.Helper()
	if a := must(p.Get("/api/points", got.Access))(t); a.Status != http.StatusUnauthorized {
		t.Errorf("the access token at the API: %s", a)
	}
	if a := p.post(t, "/oauth2/introspect", "demo-gateway", url.Values{"token": {got.Access}}); string(a.Body) != `{"active":false}` {
		t.Errorf("the access token introspected: %s", a)
	}
	if got.Refresh != "" {
		refuses(t, p.post(t, "/oauth2/token", app, again(got.Refresh)), 400, "invalid_grant")
	}
}

// again is a refresh, but for the changes.
func again(token string, changes ...string) url.Values {
	return with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, changes...)
}
