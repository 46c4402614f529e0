package tests

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pointgate/pointgate/tests/harness"
)

// authorize: what is refused before anyone is asked to sign in or to consent.
func (p *proof) authorize(t *testing.T) {
	for name, q := range map[string]url.Values{
		"A1 unknown client_id":          asks("client_id", "nobody"),
		"A1 missing client_id":          asks("client_id", ""),
		"A1 client of another tenant":   asks("client_id", "other-web"),
		"A2 a slash more":               asks("redirect_uri", callback+"/"),
		"A2 another case":               asks("redirect_uri", strings.Replace(callback, "callback", "Callback", 1)),
		"A2 a query more":               asks("redirect_uri", callback+"?a=b"),
		"A2 another query":              asks("client_id", "doors", "redirect_uri", "https://app.example/cb?x=2"),
		"A2 no query":                   asks("client_id", "doors", "redirect_uri", "https://app.example/cb"),
		"A2 another port":               asks("client_id", "doors", "redirect_uri", "https://app.example:8443/cb?x=1"),
		"A2 another scheme":             asks("client_id", "doors", "redirect_uri", "http://app.example/cb?x=1"),
		"A2 user information":           asks("client_id", "doors", "redirect_uri", "https://app.example@evil.example/cb?x=1"),
		"A2 user information, loopback": asks("redirect_uri", "http://evil@127.0.0.1:9090/callback"),
		"A2 dots":                       asks("redirect_uri", "http://127.0.0.1:9090/x/../callback"),
		"A2 dots, encoded":              asks("redirect_uri", "http://127.0.0.1:9090/x/%2e%2e/callback"),
		"A2 a fragment":                 asks("redirect_uri", callback+"#f"),
		"A2 an empty fragment":          asks("redirect_uri", callback+"#"),
		"A2 a script":                   asks("redirect_uri", "javascript:alert(1)"),
		"A3 several are registered":     asks("client_id", "doors", "redirect_uri", ""),
		"A4 localhost, another port":    asks("client_id", "doors", "redirect_uri", "http://localhost:9999/callback"),
		"A8 client_id twice":            twice("client_id"),
		"A8 redirect_uri twice":         twice("redirect_uri"),
	} {
		t.Run(name, func(t *testing.T) {
			a := p.ask(t, q)
			wantPage(t, a)
			byPost := must(p.Form(p.URL+"/oauth2/authorize", "", "", q))(t)
			if byPost.Status != a.Status || byPost.Header.Get("Location") != "" {
				t.Errorf("by POST: %s", byPost)
			}
		})
	}
	for name, to := range map[string]string{
		"A4 127.0.0.1, another port": "http://127.0.0.1:51234/callback",
		"A4 [::1], another port":     "http://[::1]:51234/callback",
	} {
		t.Run(name, func(t *testing.T) {
			a := p.ask(t, asks("client_id", "doors", "redirect_uri", to, "scope", "points:read"))
			if a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/login?") {
				t.Errorf("want the login, got %s", a)
			}
		})
	}
	p.toldBeforeLogin(t)
	p.noRequestsGoOut(t)
	t.Run("A16 GET is answered by 303 or 302", func(t *testing.T) {
		if a := p.ask(t, asks()); a.Status != http.StatusSeeOther && a.Status != http.StatusFound {
			t.Error(a)
		}
	})
	t.Run("A16 POST is answered by 303", func(t *testing.T) {
		for _, q := range []url.Values{asks(), asks("scope", "points:steal")} {
			if a := must(p.Form(p.URL+"/oauth2/authorize", "", "", q))(t); a.Status != http.StatusSeeOther {
				t.Error(a)
			}
		}
	})
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
		t.Run("A19 "+method, func(t *testing.T) {
			a := must(p.Send(harness.Request{Method: method, URL: "/oauth2/authorize?" + asks().Encode()}))(t)
			if a.Status != http.StatusMethodNotAllowed || !strings.Contains(a.Header.Get("Allow"), "GET") || a.Header.Get("Location") != "" {
				t.Errorf("got %s, Allow %q", a, a.Header.Get("Allow"))
			}
		})
	}
}

// toldBeforeLogin: the client learns at once what is wrong with its request.
func (p *proof) toldBeforeLogin(t *testing.T) {
	for name, c := range map[string]struct {
		q     url.Values
		codes string // one of them
	}{
		"A5 response_type is missing":     {asks("response_type", ""), "invalid_request"},
		"A5 token":                        {asks("response_type", "token"), "unsupported_response_type unauthorized_client"},
		"A5 id_token":                     {asks("response_type", "id_token"), "unsupported_response_type unauthorized_client"},
		"A5 unknown response_type":        {asks("response_type", "magic"), "unsupported_response_type unauthorized_client"},
		"A6 unknown scope":                {asks("scope", "points:steal"), "invalid_scope"},
		"A6 one unknown scope of two":     {asks("scope", "points:read points:steal"), "invalid_scope"},
		"A6 scope that it has not":        {asks("scope", "points:adjust"), "invalid_scope"},
		"A6 white space of another kind":  {asks("scope", "points:read\u00a0"), "invalid_scope"},
		"A6 scope in another case":        {asks("scope", "Points:Read"), "invalid_scope"},
		"A7 no code_challenge":            {asks("code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"A7 no code_challenge, S256":      {asks("code_challenge", ""), "invalid_request"},
		"A7 plain":                        {asks("code_challenge_method", "plain"), "invalid_request"},
		"A7 no method":                    {asks("code_challenge_method", ""), "invalid_request"},
		"A7 unknown method":               {asks("code_challenge_method", "S512"), "invalid_request"},
		"A7 challenge of 42":              {asks("code_challenge", challenge(verifier)[1:]), "invalid_request"},
		"A7 challenge of 44":              {asks("code_challenge", challenge(verifier)+"A"), "invalid_request"},
		"A7 challenge not in base64url":   {asks("code_challenge", strings.Repeat("+", 43)), "invalid_request"},
		"A8 scope twice":                  {twice("scope"), "invalid_request"},
		"A8 response_type twice":          {twice("response_type"), "invalid_request"},
		"A8 code_challenge twice":         {twice("code_challenge"), "invalid_request"},
		"A8 an unknown parameter twice":   {asksTwice("nonsense", "x"), "invalid_request"},
		"A9 unknown response_mode":        {asks("response_mode", "telepathy"), "invalid_request"},
		"A9 response_mode=fragment":       {asks("response_mode", "fragment"), "invalid_request"},
		"A10 a request object":            {asks("request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"},
		"A18 resource is not absolute":    {asks("resource", "/api"), "invalid_target"},
		"A18 resource has a fragment":     {asks("resource", p.URL+"/api#f"), "invalid_target"},
		"A18 unknown resource":            {asks("resource", "https://elsewhere.example/api"), "invalid_target"},
		"A18 resource of another tenant":  {asks("resource", p.Other+"/api"), "invalid_target"},
		"A21 code and token":              {asks("response_type", "code token"), "unsupported_response_type unauthorized_client"},
		"A21 id_token and token":          {asks("response_type", "id_token token"), "unsupported_response_type unauthorized_client"},
		"A21 token, as a form that posts": {asks("response_type", "token", "response_mode", "form_post"), "unsupported_response_type unauthorized_client invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			q := p.told(t, p.ask(t, c.q))
			if !strings.Contains(" "+c.codes+" ", " "+q.Get("error")+" ") || q.Has("code") {
				t.Errorf("want %s, got %v", c.codes, q)
			}
			if state := c.q["state"]; q.Get("state") != state[0] {
				t.Errorf("state %q", q.Get("state"))
			}
		})
	}
}

// noRequestsGoOut: an address in a request is never fetched.
func (p *proof) noRequestsGoOut(t *testing.T) {
	var fetched atomic.Int64
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer there.Close()
	for name, changes := range map[string][]string{
		"A10 a foreign request_uri":              {"request_uri", there.URL + "/request.jwt"},
		"A10 a foreign request_uri, with openid": {"request_uri", there.URL + "/request.jwt", "scope", "points:read"},
	} {
		t.Run(name, func(t *testing.T) {
			if q := p.told(t, p.ask(t, asks(changes...))); q.Get("error") != "request_uri_not_supported" {
				t.Errorf("got %v", q)
			}
			if fetched.Load() != 0 {
				t.Error("the program fetched it")
			}
		})
	}
}

// twice is an authorization request in which a parameter stands twice.
func twice(name string) url.Values { return asksTwice(name, asks().Get(name)) }

func asksTwice(name, value string) url.Values {
	q := asks()
	q[name] = []string{value, value}
	return q
}

// states: state comes back as it was sent, with the issuer, whatever the answer is.
func (p *proof) states(t *testing.T) {
	for name, state := range map[string]string{
		"A13 no state":             "",
		"A13 state of one letter":  "x",
		"A13 state of odd letters": "a&b=c+d %25 é 日本 \"<>",
		"A13 state of 2 kB":        strings.Repeat("abcdefgh", 256),
	} {
		t.Run(name, func(t *testing.T) {
			refused := p.told(t, p.ask(t, asks("state", state, "scope", "points:steal")))
			granted := p.grant(t, asks("state", state))
			for _, q := range []url.Values{refused, granted} {
				if q.Get("state") != state || q.Has("state") != (state != "") {
					t.Errorf("state %q came back as %q", state, q["state"])
				}
			}
			accepts(t, p.post(t, "/oauth2/token", "demo-web", redeems(granted.Get("code"))))
		})
	}
}

// consents: what a person, or somebody in their place, answers.
func (p *proof) consents(t *testing.T) {
	open := func(t *testing.T, b *harness.Browser) *harness.Answer {
		t.Helper()
		page := must(b.Open("/oauth2/authorize?" + asks("prompt", "consent").Encode()))(t)
		if page.Status != http.StatusOK {
			t.Fatal(page)
		}
		return page
	}
	t.Run("A14 the person denies", func(t *testing.T) {
		page := open(t, p.alice)
		q := p.told(t, must(p.alice.Submit(consentForm(t, page, "deny")))(t))
		if q.Get("error") != "access_denied" || q.Has("code") || q.Get("state") != "st" {
			t.Errorf("got %v", q)
		}
	})
	bob := p.NewBrowser(false)
	must(bob.Login(harness.People["bob"], ""))(t)
	for name, csrf := range map[string]string{
		"A15 consent without the token against forgery": "",
		"A15 consent with another person's":             consentForm(t, open(t, bob), "approve").Fields.Get("csrf"),
	} {
		t.Run(name, func(t *testing.T) {
			form := consentForm(t, open(t, p.alice), "approve")
			form.Fields.Set("csrf", csrf)
			if a := must(p.alice.Submit(form))(t); a.Status != http.StatusForbidden || a.Header.Get("Location") != "" {
				t.Error(a)
			}
		})
	}
	t.Run("A15 another person's flow", func(t *testing.T) {
		form := consentForm(t, open(t, p.alice), "approve")
		his := consentForm(t, open(t, bob), "approve")
		his.Fields.Set("flow", form.Fields.Get("flow"))
		wantPage(t, must(bob.Submit(his))(t))
	})
	t.Run("A17 headers of the pages", func(t *testing.T) {
		login := must(p.NewBrowser(false).Open("/oauth2/authorize?" + asks().Encode()))(t)
		for _, page := range []*harness.Answer{login, open(t, p.alice), p.ask(t, asks("client_id", "nobody"))} {
			wantPageHeaders(t, page)
		}
	})
	t.Run("A20 one flow answered in two tabs", func(t *testing.T) {
		form := consentForm(t, open(t, p.alice), "approve")
		if q := p.told(t, must(p.alice.Submit(form))(t)); q.Get("code") == "" {
			t.Errorf("no code: %v", q)
		}
		wantPage(t, must(p.alice.Submit(form))(t))
	})
}

// prompts: OpenID Connect's questions about the person (Core §3.1.2.1).
func (p *proof) prompts(t *testing.T) {
	p.register(t, map[string]any{
		"id": "quiet", "name": "Quiet", "grant_types": words("authorization_code"), "scopes": words("openid points:read"), "redirect_uris": []string{callback},
	})
	silent := asks("client_id", "quiet", "scope", "openid points:read", "prompt", "none")
	t.Run("A11 prompt=none, and nobody is signed in", func(t *testing.T) {
		if q := p.told(t, p.ask(t, silent)); q.Get("error") != "login_required" {
			t.Errorf("got %v", q)
		}
	})
	t.Run("A11 prompt=none, and nobody has consented", func(t *testing.T) {
		if q := p.told(t, must(p.alice.Open("/oauth2/authorize?"+silent.Encode()))(t)); q.Get("error") != "consent_required" {
			t.Errorf("got %v", q)
		}
	})
	for _, prompt := range []string{"none login", "none consent", "login none"} {
		t.Run("A11 prompt="+prompt, func(t *testing.T) {
			for _, scope := range []string{"openid points:read", "points:read"} {
				q := p.told(t, must(p.alice.Open("/oauth2/authorize?"+asks("client_id", "quiet", "scope", scope, "prompt", prompt).Encode()))(t))
				if q.Get("error") != "invalid_request" {
					t.Errorf("got %v", q)
				}
			}
		})
	}
}

// redeems is a good token request for a code, but for the changes.
func redeems(code string, changes ...string) url.Values {
	return with(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
	}, changes...)
}
