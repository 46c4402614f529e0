package tests

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/tests/harness"
)

// push pushes an authorization request of the app, and returns its handle.
func (p *proof) push(t *testing.T, app string, changes ...string) string {
	t.Helper()
	a := p.post(t, "/oauth2/par", app, asks(append([]string{"client_id", app}, changes...)...))
	plain(t, a)
	if a.Status != http.StatusCreated {
		t.Fatal(a)
	}
	return must(a.At("request_uri"))(t)
}

// bring has Alice's browser come with a handle.
func (p *proof) bring(t *testing.T, app, handle string, changes ...string) *harness.Answer {
	t.Helper()
	return must(p.alice.Open("/oauth2/authorize?" + with(url.Values{"client_id": {app}, "request_uri": {handle}}, changes...).Encode()))(t)
}

// pushes: RFC 9126.
func (p *proof) pushes(t *testing.T) {
	for name, c := range map[string]struct {
		app     string
		changes []string
		status  int
		codes   string // one of them
	}{
		"P1 nobody":                        {"", []string{"client_id", ""}, 401, "invalid_client"},
		"P1 a client without its secret":   {"", nil, 401, "invalid_client"},
		"P1 a wrong secret":                {"", []string{"client_secret", "wrong"}, 401, "invalid_client"},
		"P2 a request_uri":                 {"demo-web", []string{"request_uri", "urn:ietf:params:oauth:request_uri:x"}, 400, "invalid_request"},
		"P3 for another client":            {"demo-web", []string{"client_id", "second"}, 400, "invalid_request invalid_client"},
		"P7 redirect_uri not registered":   {"demo-web", []string{"redirect_uri", "https://evil.example/"}, 400, "invalid_request invalid_redirect_uri"},
		"P7 unknown scope":                 {"demo-web", []string{"scope", "points:steal"}, 400, "invalid_scope"},
		"P7 no challenge":                  {"demo-web", []string{"code_challenge", ""}, 400, "invalid_request"},
		"P7 plain":                         {"demo-web", []string{"code_challenge_method", "plain"}, 400, "invalid_request"},
		"P7 unknown resource":              {"demo-web", []string{"resource", "https://elsewhere.example/"}, 400, "invalid_target"},
		"P7 response_type=token":           {"demo-web", []string{"response_type", "token"}, 400, "unsupported_response_type unauthorized_client"},
		"P8 a body above the limit":        {"demo-web", []string{"state", strings.Repeat("s", 20<<10)}, 413, "invalid_request"},
		"P8 one that fits into no address": {"demo-web", []string{"state", strings.Repeat("s", 9<<10)}, 413, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			a := p.post(t, "/oauth2/par", c.app, asks(c.changes...))
			if !strings.Contains(" "+c.codes+" ", " "+a.Code()+" ") {
				t.Errorf("want %s, got %s", c.codes, a)
			}
			refuses(t, a, c.status, a.Code())
		})
	}
	t.Run("P8 GET", func(t *testing.T) {
		a := p.form(t, http.MethodGet, "/oauth2/par?"+asks().Encode(), "", basic("demo-web:demo-web-secret"), "")
		if a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != http.MethodPost {
			t.Error(a)
		}
	})
	t.Run("P4 a good one", func(t *testing.T) {
		a := p.post(t, "/oauth2/par", "demo-web", asks())
		if !strings.HasPrefix(must(a.At("request_uri"))(t), "urn:ietf:params:oauth:request_uri:") || must(a.At("expires_in"))(t) != "60" || a.Status != http.StatusCreated {
			t.Error(a)
		}
	})
	p.handles(t)
	p.mustPush(t)
}

// handles: what a pushed request is good for, and for whom.
func (p *proof) handles(t *testing.T) {
	t.Run("P5 a second time", func(t *testing.T) {
		handle := p.push(t, "demo-web", "prompt", "consent")
		page := p.bring(t, "demo-web", handle)
		wantPage(t, p.bring(t, "demo-web", handle))
		if q := p.told(t, must(p.alice.Submit(consentForm(t, page, "approve")))(t)); q.Get("code") == "" {
			t.Errorf("the first use ends with %v", q)
		}
	})
	t.Run("P5 too late", func(t *testing.T) {
		handle := p.push(t, "demo-web")
		p.change(t, `UPDATE pushed_requests SET expires_at = created_at + 1 WHERE used_at IS NULL`)
		wantPage(t, p.bring(t, "demo-web", handle))
	})
	t.Run("P5 unknown", func(t *testing.T) {
		wantPage(t, p.bring(t, "demo-web", "urn:ietf:params:oauth:request_uri:"+strings.Repeat("A", 43)))
	})
	t.Run("P6 what the browser adds does not count", func(t *testing.T) {
		handle := p.push(t, "demo-web", "scope", "points:read", "prompt", "consent")
		page := p.bring(t, "demo-web", handle, "scope", "points:read points:write", "redirect_uri", "https://evil.example/",
			"code_challenge", challenge("another"), "state", "another", "response_type", "token")
		form := consentForm(t, page, "approve")
		if got := strings.Join(form.Fields["scope"], " "); got != "points:read" {
			t.Errorf("scopes to tick: %s", got)
		}
		q := p.told(t, must(p.alice.Submit(form))(t))
		if q.Get("state") != "st" {
			t.Errorf("got %v", q)
		}
		accepts(t, p.post(t, "/oauth2/token", "demo-web", redeems(q.Get("code"))))
	})
	t.Run("P9 another client neither uses it nor burns it", func(t *testing.T) {
		handle := p.push(t, "demo-web")
		for _, other := range []string{"second", "demo-spa", "nobody"} {
			wantPage(t, p.bring(t, other, handle))
		}
		if a := p.bring(t, "demo-web", handle); a.Status != http.StatusOK && a.Status != http.StatusSeeOther {
			t.Error(a)
		}
	})
}

func (p *proof) mustPush(t *testing.T) {
	p.register(t, map[string]any{
		"id": "careful", "name": "Careful", "grant_types": words("authorization_code"), "scopes": words("points:read"),
		"redirect_uris": []string{callback}, "require_pushed_authorization_requests": true,
	})
	t.Run("A12 a client that must push, and does not", func(t *testing.T) {
		if q := p.told(t, p.ask(t, asks("client_id", "careful", "scope", "points:read"))); q.Get("error") != "invalid_request" {
			t.Errorf("got %v", q)
		}
		page := p.bring(t, "careful", p.push(t, "careful", "scope", "points:read"))
		if q := p.told(t, must(p.alice.Submit(consentForm(t, page, "approve")))(t)); q.Get("code") == "" {
			t.Errorf("pushed: %v", q)
		}
	})
}
