package tests

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/tests/harness"
)

// document is a metadata document of the program.
func (p *proof) document(t *testing.T, path string, header http.Header) map[string]any {
	t.Helper()
	a := must(p.Send(harness.Request{Method: http.MethodGet, URL: path, Header: header}))(t)
	var m map[string]any
	if err := a.Decode(&m); err != nil || a.Status != http.StatusOK {
		t.Fatal(a, err)
	}
	return m
}

const (
	serverMetadata   = "/.well-known/oauth-authorization-server"
	openIDMetadata   = "/.well-known/openid-configuration"
	openidMetadata   = "/.well-known/openid-configuration"
	resourceMetadata = "/.well-known/oauth-protected-resource"
)

// metadata: RFC 8414 and RFC 9728.
func (p *proof) metadata(t *testing.T) {
	t.Run("M1 the issuer is the one that is configured", func(t *testing.T) {
		for _, tenant := range []string{p.URL, p.Other} {
			for _, path := range []string{serverMetadata, openIDMetadata} {
				if got := p.document(t, tenant+path, nil)["issuer"]; got != tenant {
					t.Errorf("%s says %v", tenant+path, got)
				}
			}
		}
	})
	t.Run("M2 no tenant is behind a path", func(t *testing.T) {
		// Issuers here have no path, so RFC 8414 §3.1 inserts none; nobody else's is invented.
		if a := must(p.Get(serverMetadata+"/demo", ""))(t); a.Status != http.StatusNotFound {
			t.Error(a)
		}
	})
	t.Run("M3 what is listed works, and nothing else is", p.listed)
	t.Run("M4 a resource describes itself", func(t *testing.T) {
		if got := p.document(t, resourceMetadata+"/api", nil)["resource"]; got != p.URL+"/api" {
			t.Errorf("the resource is %v", got)
		}
	})
	t.Run("M5 a 401 names the metadata", func(t *testing.T) {
		challenge := must(p.Get("/api/points", ""))(t).Header.Get("WWW-Authenticate")
		if !strings.Contains(challenge, `resource_metadata="`+p.URL+resourceMetadata+`/api"`) {
			t.Errorf("WWW-Authenticate: %s", challenge)
		}
	})
	t.Run("M6 headers of a stranger change no URL", func(t *testing.T) {
		h := http.Header{"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}, "Forwarded": {"host=evil.example;proto=https"}, "X-Original-Host": {"evil.example"}}
		for _, path := range []string{serverMetadata, openIDMetadata, "/oauth2/jwks", resourceMetadata, resourceMetadata + "/api"} {
			a := must(p.Send(harness.Request{Method: http.MethodGet, URL: path, Header: h}))(t)
			if strings.Contains(string(a.Body), "evil") || strings.Contains(string(a.Body), "https://") {
				t.Error(a)
			}
		}
	})
	t.Run("M7 to be read by everyone, and kept", func(t *testing.T) {
		for _, path := range []string{serverMetadata, openIDMetadata, "/oauth2/jwks", resourceMetadata, resourceMetadata + "/api"} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				a := must(p.Send(harness.Request{Method: method, URL: path, Header: http.Header{"Origin": {"https://anywhere.example"}}}))(t)
				h := a.Header
				if a.Status != http.StatusOK || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Cache-Control"), "max-age=") {
					t.Errorf("%s %s: %d %v", method, path, a.Status, h)
				}
			}
			if a := must(p.Post(path, "", nil))(t); a.Status != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: %s", path, a)
			}
		}
	})
}

func (p *proof) listed(t *testing.T) {
	m := p.document(t, serverMetadata, nil)
	if of := p.document(t, openidMetadata, nil)["code_challenge_methods_supported"]; len(of.([]any)) != 1 || of.([]any)[0] != "S256" {
		t.Errorf("OpenID Connect's say %v", of)
	}
	list := func(name string) []string {
		var out []string
		values, _ := m[name].([]any)
		for _, v := range values {
			out = append(out, v.(string))
		}
		return out
	}
	if got := list("code_challenge_methods_supported"); !slices.Equal(got, []string{"S256"}) {
		t.Errorf("code_challenge_methods_supported: %v", got)
	}
	if got := list("response_types_supported"); !slices.Equal(got, []string{"code"}) {
		t.Errorf("response_types_supported: %v", got)
	}
	if m["authorization_response_iss_parameter_supported"] != true {
		t.Error("iss is not promised")
	}
	for name, at := range m {
		if !strings.HasSuffix(name, "_endpoint") {
			continue
		}
		path := strings.TrimPrefix(at.(string), p.URL)
		if a := must(p.Send(harness.Request{Method: http.MethodOptions, URL: path}))(t); a.Status == http.StatusNotFound || !strings.HasPrefix(path, "/oauth2/") {
			t.Errorf("%s: %s is not there: %s", name, at, a)
		}
	}
	for _, grant := range list("grant_types_supported") {
		if a := p.post(t, "/oauth2/token", "demo-web", url.Values{"grant_type": {grant}}); a.Code() == "unsupported_grant_type" {
			t.Errorf("%s is listed, and %s", grant, a)
		}
	}
}

// resources: how the API answers to tokens (RFC 6750, RFC 9728).
func (p *proof) resources(t *testing.T) {
	live := p.tokens(t, "demo-web")
	get := func(t *testing.T, header http.Header) *harness.Answer {
		t.Helper()
		return must(p.Send(harness.Request{Method: http.MethodGet, URL: "/api/points", Header: header}))(t)
	}
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	t.Run("S1 no token", func(t *testing.T) {
		a := get(t, http.Header{})
		if h := a.Header.Get("WWW-Authenticate"); a.Status != 401 || !strings.HasPrefix(h, "Bearer ") || strings.Contains(h, "error") {
			t.Errorf("%s, WWW-Authenticate: %s", a, h)
		}
	})
	revoked := p.tokens(t, "demo-web")
	p.post(t, "/oauth2/revoke", "demo-web", shows(revoked.Access))
	for name, token := range map[string]string{
		"S2 bad": "nonsense", "S2 unknown": "pga_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43),
		"S2 expired": p.expired(t).Access, "S2 revoked": revoked.Access, "S7 a refresh token": live.Refresh, "S7 a code": p.code(t),
	} {
		t.Run(name, func(t *testing.T) { wantChallenge(t, get(t, bearer(token)), 401, `error="invalid_token"`) })
	}
	t.Run("S3 a scope is missing", func(t *testing.T) {
		a := must(p.Post("/api/points/redeem", live.Access, order{Customer: "cus_alice", Points: 1, Reason: "coffee"}))(t)
		wantChallenge(t, a, 403, `error="insufficient_scope"`, `scope="points:write"`)
	})
	t.Run("S4 a token in the query", func(t *testing.T) {
		if a := must(p.Get("/api/points?access_token="+live.Access, ""))(t); a.Status != 400 && a.Status != 401 {
			t.Error(a)
		}
	})
	t.Run("S4 a token in the body", func(t *testing.T) {
		a := p.form(t, http.MethodPost, "/api/points/redeem", urlencoded, "", "access_token="+live.Access)
		if a.Status != 400 && a.Status != 401 && a.Status != 415 {
			t.Error(a)
		}
	})
	t.Run("S5 a token for another resource", func(t *testing.T) {
		const files = "https://elsewhere.example/files"
		made := must(p.Post("/admin/api/resources", p.Demo.AdminToken, map[string]any{"uri": files, "name": "Files", "scopes": words("points:read"), "open": true}))(t)
		if made.Status != http.StatusCreated {
			t.Fatal(made)
		}
		got := p.tokens(t, "demo-web", "resource", files, "scope", "points:read")
		wantChallenge(t, get(t, bearer(got.Access)), 401, `error="invalid_token"`)
		if a := p.post(t, "/oauth2/introspect", "demo-gateway", shows(got.Access)); string(a.Body) != inactive {
			t.Errorf("the API is told %s", a)
		}
	})
	t.Run("S6 the policy denies though the scope is good", func(t *testing.T) {
		a := must(p.Get("/api/points?customer_id=cus_bob", live.Access))(t)
		id := a.Header.Get("X-Decision-Id")
		if a.Status != 403 || a.Code() != "not_owner" || strings.Contains(a.Header.Get("WWW-Authenticate"), "insufficient_scope") {
			t.Errorf("%s, WWW-Authenticate: %s", a, a.Header.Get("WWW-Authenticate"))
		}
		if r := must(p.Decision(id))(t); r.Result.Allow || r.Result.Code != "not_owner" || r.Input.Subject.ID != "cus_alice" {
			t.Errorf("the record: %+v", r)
		}
	})
	t.Run("S8 two Authorization headers", func(t *testing.T) {
		if a := get(t, http.Header{"Authorization": {"Bearer " + live.Access, "Bearer " + live.Access}}); a.Status != 400 {
			t.Error(a)
		}
	})
}

// wantChallenge wants a status, and parts of WWW-Authenticate.
func wantChallenge(t *testing.T, a *harness.Answer, status int, parts ...string) {
	t.Helper()
	challenge := a.Header.Get("WWW-Authenticate")
	if a.Status != status || !strings.HasPrefix(challenge, "Bearer ") {
		t.Errorf("want %d, got %s; WWW-Authenticate: %s", status, a, challenge)
	}
	for _, part := range parts {
		if !strings.Contains(challenge, part) {
			t.Errorf("no %s in WWW-Authenticate: %s", part, challenge)
		}
	}
}
