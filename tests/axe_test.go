package tests

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/pointgate/pointgate/tests/harness"
)

// TestPagesAreAccessible runs axe-core in every page, at the width of a phone
// and of a desk, in light and in dark. The pages' CSP forbids scripts; axe comes
// in through the debugger, which it does not bind.
func TestPagesAreAccessible(t *testing.T) {
	axe := axeCore(t)
	tab := chromium(t)
	s := harness.Start(t, harness.Options{})
	shop := newApp(t, s, "points:read", "points:write", "points:transfer")
	setup := harness.Start(t, harness.Options{Real: true})
	consent := shop.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	for _, page := range []struct {
		name string
		show step
	}{
		{"home", visit(s.URL + "/")},
		{"login", visit(s.URL + "/login")},
		{"login with an error", chromedp.Steps(visit(s.URL+"/login"), signIn(harness.Person{Email: "alice@demo.example", Password: "wrong-password"}), chromedp.WaitVisible("#alert"))},
		{"error", visit(s.URL + "/oauth2/authorize?client_id=nobody")},
		{"not found", visit(s.URL + "/nothing/here")},
		{"setup", visit(must(setup.SetupLink())(t))},
		{"consent", chromedp.Steps(visit(consent), signIn(harness.People["alice"]), chromedp.WaitVisible(`button[value="approve"]`))},
		{"apps, with one", chromedp.Steps(chromedp.Click(`button[value="approve"]`), shop.reached(), visit(s.URL+"/account/apps"))},
		{"device", visit(s.URL + "/device")},
		{"device with an error", chromedp.Steps(chromedp.SetValue("#user_code", "BBBB-BBBB"), chromedp.Submit("#user_code"), chromedp.WaitVisible("#alert"))},
		{"device that waits", chromedp.Steps(visit(waitingDevice(t, s)), chromedp.Submit("#user_code"), chromedp.WaitVisible(`button[value="approve"]`))},
		{"device let in", chromedp.Steps(chromedp.Click(`button[value="approve"]`), chromedp.WaitVisible(`main a[href="/account/apps"]`))},
		{"account", visit(s.URL + "/account")},
		{"sessions", visit(s.URL + "/account/sessions")},
		{"apps of a developer, none", visit(s.URL + "/developer")},
		{"a new app", visit(s.URL + "/developer/new")},
		{"a new app, with an error", chromedp.Steps(fillApp("http://app.example/cb"), chromedp.WaitVisible("#alert"))},
		{"a new app's secret", chromedp.Steps(fillApp("https://app.example/cb"), chromedp.WaitVisible(".secret"))},
		{"apps of a developer", visit(s.URL + "/developer")},
		{"one app", chromedp.Steps(chromedp.Click(".rows .button"), chromedp.WaitVisible("#sure"))},
		{"home, signed in", visit(s.URL + "/")},
		{"login again, for an app", visit(consent + "&prompt=login&login_hint=alice%40demo.example")},
		{"logout", visit(s.URL + "/oauth2/logout?client_id=coffee-shop")},
		{"account of staff", chromedp.Steps(visit(s.URL+"/account"), chromedp.Click(".who button"), chromedp.WaitVisible(`main a[href="/login"]`), visit(s.URL+"/login"),
			signIn(harness.People["admin"]), chromedp.WaitVisible(".tiles"), visit(s.URL+"/account?done=setup"))},
		{"tokens", visit(s.URL + "/account/tokens")},
		{"tokens with an error", chromedp.Steps(chromedp.SetValue("#name", "laptop"), chromedp.Submit("#name"), chromedp.WaitVisible("#alert"))},
		{"new token", chromedp.Steps(chromedp.Click("#scope-0"), chromedp.Submit("#name"), chromedp.WaitVisible(".secret"))},
	} {
		browse(t, tab, page.show)
		for _, width := range []int64{390, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s at %d, %s", page.name, width, scheme), func(t *testing.T) {
					browse(t, tab, chromedp.EmulateViewport(width, 900), colours(scheme))
					violations(t, tab, axe)
				})
			}
		}
	}
}

// waitingDevice is where the person of a device that waits is led to.
func waitingDevice(t *testing.T, s *harness.Server) string {
	t.Helper()
	a := must(s.Form(s.URL+"/oauth2/device_authorization", "", "", url.Values{"client_id": {"demo-tv"}, "scope": {"points:read points:write"}}))(t)
	return must(a.At("verification_uri_complete"))(t)
}

// fillApp fills the form for a new app in, and sends it.
func fillApp(redirect string) step {
	return chromedp.Steps(chromedp.SetValue("#name", "My App"), chromedp.SetValue("#redirect_uris", redirect), chromedp.Submit("#name"))
}

func visit(to string) step {
	return chromedp.Steps(chromedp.Navigate(to), chromedp.WaitVisible("main"))
}

func colours(scheme string) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

func axeCore(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("browser", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no axe-core (npm ci in tests/browser), and CI=true: %v", err)
		}
		t.Skipf("skipped: no axe-core (npm ci in tests/browser): %v", err)
	}
	return string(source)
}

// findings are what is used of axe's results.
type findings struct {
	Passes     int  `json:"passes"`
	Wide       bool `json:"wide"`
	Violations []struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			HTML string `json:"html"`
			Why  string `json:"failureSummary"`
		} `json:"nodes"`
	} `json:"violations"`
}

func violations(t *testing.T, tab context.Context, axe string) {
	t.Helper()
	const run = `axe.run(document).then(r => ({passes: r.passes.length, violations: r.violations,
		wide: document.documentElement.scrollWidth > document.documentElement.clientWidth}))`
	browse(t, tab, chromedp.Evaluate[chromedp.Void](axe+";0"))
	found := must(chromedp.Run(tab, chromedp.Evaluate[findings](run, chromedp.EvalAwaitPromise)))(t)
	if found.Passes == 0 {
		t.Error("axe looked at nothing")
	}
	if found.Wide {
		t.Error("the page is wider than the window")
	}
	for _, v := range found.Violations {
		var where strings.Builder
		for _, n := range v.Nodes {
			fmt.Fprintf(&where, "\n  %s\n  %s", n.HTML, n.Why)
		}
		t.Errorf("%s: %s%s", v.ID, v.Help, where.String())
	}
}
