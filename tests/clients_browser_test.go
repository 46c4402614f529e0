package tests

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/tests/harness"
)

// TestOidcClientTsInABrowser has a person use a single-page application made with
// oidc-client-ts: a public client, on an origin of its own, which finds the
// server by discovery.
func TestOidcClientTsInABrowser(t *testing.T) {
	libraries(t)
	tab := chromium(t)
	s := harness.Start(t, harness.Options{})
	page := must(os.ReadFile("clients/page.html"))(t)
	library := must(os.ReadFile("clients/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"))(t)
	settings := must(json.Marshal(map[string]string{"authority": s.URL, "client_id": "single-page"}))(t)
	serve := func(kind string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(body)
		}
	}
	files := http.NewServeMux()
	files.HandleFunc("/", serve("text/html", page))
	files.HandleFunc("/oidc-client-ts.min.js", serve("text/javascript", library))
	files.HandleFunc("/settings.json", serve("application/json", settings))
	app := httptest.NewServer(files)
	t.Cleanup(app.Close)
	made := must(s.Post("/admin/api/clients", s.Demo.AdminToken, map[string]any{
		"id": "single-page", "name": "Single-Page App", "public": true, "grant_types": []string{"authorization_code", "refresh_token"},
		"redirect_uris": []string{app.URL + "/callback"}, "origins": []string{app.URL},
		"scopes": []string{"openid", "email", "points:read", "offline_access"},
	}))(t)
	if made.Status != http.StatusCreated {
		t.Fatal(made)
	}
	browse(t, tab,
		chromedp.Navigate(app.URL), chromedp.WaitVisible("#login"), chromedp.Click("#login"),
		signIn(harness.People["alice"]),
		chromedp.WaitVisible(`button[value="approve"]`), chromedp.Click(`button[value="approve"]`),
		chromedp.WaitVisible("#result"),
	)
	got := must(chromedp.Run(tab, chromedp.Text("#result")))(t)
	want := `{"sub":"cus_alice","email":"alice@demo.example","points":200,"renewed":true,"afterRevocation":401}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
