package tests

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/pointgate/pointgate/tests/harness"
)

const goodbye = "http://127.0.0.1:9090/bye"

// listening is an app of alice's that hears of logouts, in a browser of its own.
func (p *proof) listening(t *testing.T) (told chan string, b *harness.Browser, login func(changes url.Values) *oauth2.Token) {
	told = make(chan string, 10)
	rp := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.PostFormValue("logout_token") }))
	t.Cleanup(rp.Close)
	id := "hears-" + strings.ToLower(regexp.MustCompile(`\W`).ReplaceAllString(rp.URL[len(rp.URL)-5:], ""))
	p.register(t, map[string]any{
		"id": id, "name": "Hears", "grant_types": words("authorization_code refresh_token"), "redirect_uris": []string{callback},
		"scopes":                    words("openid points:read points:transfer offline_access"),
		"post_logout_redirect_uris": []string{goodbye}, "backchannel_logout_uri": rp.URL + "/told",
	})
	app := p.apps[id]
	b = p.NewBrowser(false)
	config := oauth2.Config{
		ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: app.Redirect,
		Endpoint: oauth2.Endpoint{AuthURL: p.URL + "/oauth2/authorize", TokenURL: p.URL + "/oauth2/token"},
	}
	login = func(changes url.Values) *oauth2.Token {
		t.Helper()
		f := &harness.Flow{App: app, Scopes: "openid points:read points:transfer offline_access", Change: changes}
		q, a, err := b.Authorize(harness.People["alice"], f)
		if err != nil || q.Get("code") == "" {
			t.Fatal(q, a, err)
		}
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, p.HTTP)
		return must(config.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(f.Verifier)))(t)
	}
	return told, b, login
}

// claimsIn are those of a JWT, whose signature others look at.
func claimsIn(t *testing.T, token string) (claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %q", token)
	}
	if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(parts[1]))(t), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// logouts: OpenID Connect RP-Initiated and Back-Channel Logout.
func (p *proof) logouts(t *testing.T) {
	told, b, login := p.listening(t)
	signedIn := func() bool { return strings.Contains(string(must(b.Open("/account"))(t).Body), "alice@demo.example") }
	t.Run("L1 a sign-in in the same session is no logout, and its sid stays", func(t *testing.T) {
		first := claimsIn(t, login(nil).Extra("id_token").(string))
		again := claimsIn(t, login(url.Values{"prompt": {"login"}}).Extra("id_token").(string))
		if first["sid"] == nil || first["sid"] != again["sid"] || first["auth_time"].(float64) > again["auth_time"].(float64) {
			t.Errorf("first %v, again %v", first, again)
		}
	})
	t.Run("L2 an id_token_hint ends the session, the client is told, and the browser comes back", func(t *testing.T) {
		hint := login(nil).Extra("id_token").(string)
		a := must(b.Open("/oauth2/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {goodbye}, "state": {"s t"}}.Encode()))(t)
		if a.Status != http.StatusSeeOther || a.Header.Get("Location") != goodbye+"?state=s+t" {
			t.Fatal(a)
		}
		if signedIn() {
			t.Error("still signed in")
		}
		select {
		case token := <-told:
			got, want := claimsIn(t, token), claimsIn(t, hint)
			if got["sid"] != want["sid"] || got["sub"] != "cus_alice" || got["aud"] != want["aud"] || got["iss"] != p.URL || got["nonce"] != nil {
				t.Errorf("told %v, want the session of %v", got, want)
			}
		case <-time.After(30 * time.Second):
			t.Error("the client is not told")
		}
	})
	t.Run("L3 no redirect to what is not registered", func(t *testing.T) {
		hint := login(nil).Extra("id_token").(string)
		for _, to := range []string{"https://evil.example/", goodbye + "/", goodbye + "?x", "//evil.example"} {
			wantPage(t, must(b.Open("/oauth2/logout?"+url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {to}}.Encode()))(t))
		}
		if !signedIn() {
			t.Error("signed out by a bad request")
		}
	})
	t.Run("L4 an administrator who ends the session has the client told", func(t *testing.T) {
		sid := claimsIn(t, login(nil).Extra("id_token").(string))["sid"].(string)
		a := must(p.Send(harness.Request{Method: http.MethodDelete, URL: "/admin/api/sessions/" + sid, Token: p.Demo.AdminToken}))(t)
		if a.Status != http.StatusNoContent {
			t.Fatal(a)
		}
		select {
		case token := <-told:
			if got := claimsIn(t, token); got["sid"] != sid {
				t.Errorf("told %v, want %s", got, sid)
			}
		case <-time.After(30 * time.Second):
			t.Error("the client is not told")
		}
	})
}

var maxAge = regexp.MustCompile(`^Bearer .*error="insufficient_user_authentication".*, max_age="(\d+)"`)

// stepUps: a client of golang.org/x/oauth2 follows the challenge of RFC 9470.
func (p *proof) stepUps(t *testing.T) {
	_, _, login := p.listening(t)
	send := func(token *oauth2.Token) (int, http.Header) {
		t.Helper()
		body := `{"to_customer_id":"cus_bob","points":500,"reason":"step-up"}`
		r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+"/api/points/transfer", strings.NewReader(body)))(t)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "the-one-transfer")
		token.SetAuthHeader(r)
		res := must(p.HTTP.Do(r))(t)
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode, res.Header
	}
	t.Run("L5 a large transfer needs a fresh login", func(t *testing.T) {
		token := login(nil)
		grant := `UPDATE grants SET auth_time = auth_time - 400000000 WHERE client_id LIKE 'hears-%' AND subject = 'cus_alice' AND auth_time IS NOT NULL`
		p.change(t, grant)
		p.change(t, `UPDATE sessions SET created_at = created_at - 400000000 WHERE user_id = 'cus_alice' AND ended_at IS NULL`)
		status, header := send(token)
		found := maxAge.FindStringSubmatch(header.Get("WWW-Authenticate"))
		if status != http.StatusUnauthorized || found == nil || found[1] != "300" {
			t.Fatalf("%d %v", status, header)
		}
		if status, _ := send(login(nil)); status != http.StatusUnauthorized {
			t.Errorf("a new token of the old login: %d", status)
		}
		if status, header := send(login(url.Values{"max_age": {found[1]}})); status != http.StatusCreated {
			t.Errorf("after the login: %d %v", status, header)
		}
	})
}
