package tests

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/pointgate/pointgate/tests/harness"
)

// chromium starts a headless browser with an empty profile. The test is skipped
// where there is none, and fails with CI=true.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("POINTGATE_CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); path == "" && err == nil {
			path = found
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium (POINTGATE_CHROMIUM), and CI=true")
		}
		t.Skip("skipped: no chromium (POINTGATE_CHROMIUM)")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun, chromedp.Headless,
		chromedp.NoSandbox, chromedp.DisableGPU, // as root there is no sandbox; it sees only our own pages
	}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(func() { closeTab(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	bounded, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return bounded
}

// step is something done in the tab.
type step = chromedp.Action[chromedp.Void]

// browse does the steps one after the other, within half a minute.
func browse(t *testing.T, tab context.Context, steps ...step) {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		at, _ := chromedp.Run(tab, chromedp.Location())
		t.Fatalf("%v; the page is %s", err, at)
	}
}

func signIn(p harness.Person) step {
	return chromedp.Steps(
		chromedp.WaitVisible("#email"),
		chromedp.SetValue("#email", p.Email), chromedp.SetValue("#password", p.Password),
		chromedp.Submit("#password"),
	)
}

// app is a third party's program: a callback, and what comes to it.
type app struct {
	config  oauth2.Config
	arrived chan url.Values
}

// newApp registers an app through the admin API.
func newApp(t *testing.T, s *harness.Server, scopes ...string) *app {
	t.Helper()
	a := &app{arrived: make(chan url.Values, 1)}
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			a.arrived <- r.URL.Query()
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<p id="thanks">Thank you.</p>`)
	}))
	t.Cleanup(callback.Close)
	answer := must(s.Post("/admin/api/clients", s.Demo.AdminToken, map[string]any{
		"id": "coffee-shop", "name": "Coffee Shop", "grant_types": []string{"authorization_code", "refresh_token"},
		"redirect_uris": []string{callback.URL + "/callback"}, "scopes": scopes,
	}))(t)
	secret, err := answer.At("client_secret")
	if err != nil {
		t.Fatal(err)
	}
	a.config = oauth2.Config{
		ClientID: "coffee-shop", ClientSecret: secret, RedirectURL: callback.URL + "/callback", Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: s.URL + "/oauth2/authorize", TokenURL: s.URL + "/oauth2/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	return a
}

// wait is what the browser brought to the callback.
func (a *app) wait(t *testing.T, ctx context.Context) url.Values {
	t.Helper()
	select {
	case q := <-a.arrived:
		return q
	case <-ctx.Done():
		t.Fatal("the browser never came to the callback")
		return nil
	}
}

// reached is the step in which the browser comes to the callback and stays there.
func (a *app) reached() step {
	here := chromedp.WaitVisible("#thanks")
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		select {
		case <-a.arrived:
			return here(ctx, tab)
		case <-ctx.Done():
			return chromedp.Void{}, ctx.Err()
		}
	}
}

// TestAPersonLetsAnAppSpendPoints is the main road: a standard OAuth2 client, a
// real browser, and at the end a redemption and its record.
func TestAPersonLetsAnAppSpendPoints(t *testing.T) {
	tab := chromium(t)
	s := harness.Start(t, harness.Options{})
	shop := newApp(t, s, "points:read", "points:write", "points:transfer")
	verifier := oauth2.GenerateVerifier()
	browse(t, tab,
		chromedp.Navigate(shop.config.AuthCodeURL("the state", oauth2.S256ChallengeOption(verifier))),
		signIn(harness.People["alice"]),
		chromedp.WaitVisible(`button[value="approve"]`),
		chromedp.Click(`input[name="scope"][value="points:transfer"]`),
		chromedp.Click(`button[value="approve"]`),
	)
	q := shop.wait(t, tab)
	if q.Get("state") != "the state" {
		t.Errorf("state %q", q.Get("state"))
	}
	token := must(shop.config.Exchange(tab, q.Get("code"), oauth2.VerifierOption(verifier)))(t)
	if got := token.Extra("scope"); got != "points:read points:write" {
		t.Errorf("want the scopes that were left ticked, got %v", got)
	}
	spend(t, s, shop.config.Client(tab, token))
}

// spend reads a balance and redeems, with the app's own HTTP client.
func spend(t *testing.T, s *harness.Server, client *http.Client) {
	t.Helper()
	var balance struct{ Balance int64 }
	res := must(client.Get(s.URL + "/api/points"))(t)
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&balance); err != nil || balance.Balance != 1200 {
		t.Fatalf("balance: %d %+v %v", res.StatusCode, balance, err)
	}
	req := must(http.NewRequest(http.MethodPost, s.URL+"/api/points/redeem", strings.NewReader(`{"points":200,"reason":"coffee"}`)))(t)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", harness.NewKey())
	res = must(client.Do(req))(t)
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("redeem: %d", res.StatusCode)
	}
	r := must(s.Decision(res.Header.Get("X-Decision-Id")))(t)
	if !r.Result.Allow || r.Input.Action.Name != "points.redeem" || r.Input.Subject.ID != "cus_alice" || r.Input.Context.Client.ID != "coffee-shop" {
		t.Errorf("the record: %+v", r)
	}
}

func TestAPersonDeniesAnApp(t *testing.T) {
	tab := chromium(t)
	s := harness.Start(t, harness.Options{})
	shop := newApp(t, s, "points:read")
	browse(t, tab,
		chromedp.Navigate(shop.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))),
		signIn(harness.People["bob"]),
		chromedp.WaitVisible(`button[value="deny"]`), chromedp.Click(`button[value="deny"]`),
	)
	if q := shop.wait(t, tab); q.Get("error") != "access_denied" || q.Has("code") || q.Get("state") != "s" {
		t.Errorf("want access_denied, got %v", q)
	}
}
