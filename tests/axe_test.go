package tests

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
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
		show chromedp.Action
	}{
		{"home", visit(s.URL + "/")},
		{"login", visit(s.URL + "/login")},
		{"login with an error", chromedp.Tasks{visit(s.URL + "/login"), signIn(harness.Person{Email: "alice@demo.example", Password: "wrong-password"}), chromedp.WaitVisible("#alert")}},
		{"error", visit(s.URL + "/oauth2/authorize?client_id=nobody")},
		{"not found", visit(s.URL + "/nothing/here")},
		{"setup", visit(must(setup.SetupLink())(t))},
		{"consent", chromedp.Tasks{visit(consent), signIn(harness.People["alice"]), chromedp.WaitVisible(`button[value="approve"]`)}},
		{"apps, with one", chromedp.Tasks{chromedp.Click(`button[value="approve"]`), chromedp.WaitVisible("body"), visit(s.URL + "/account/apps")}},
		{"account", visit(s.URL + "/account")},
		{"sessions", visit(s.URL + "/account/sessions")},
		{"home, signed in", visit(s.URL + "/")},
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

func visit(to string) chromedp.Action {
	return chromedp.Tasks{chromedp.Navigate(to), chromedp.WaitVisible("main")}
}

func colours(scheme string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}).Do(ctx)
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

func violations(t *testing.T, tab context.Context, axe string) {
	t.Helper()
	var found struct {
		Passes     int
		Wide       bool
		Violations []struct {
			ID, Help string
			Nodes    []struct{ HTML, FailureSummary string }
		}
	}
	const run = `axe.run(document).then(r => ({passes: r.passes.length, violations: r.violations,
		wide: document.documentElement.scrollWidth > document.documentElement.clientWidth}))`
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	browse(t, tab, chromedp.Evaluate(axe+";0", nil), chromedp.Evaluate(run, &found, await))
	if found.Passes == 0 {
		t.Error("axe looked at nothing")
	}
	if found.Wide {
		t.Error("the page is wider than the window")
	}
	for _, v := range found.Violations {
		var where strings.Builder
		for _, n := range v.Nodes {
			fmt.Fprintf(&where, "\n  %s\n  %s", n.HTML, n.FailureSummary)
		}
		t.Errorf("%s: %s%s", v.ID, v.Help, where.String())
	}
}
