package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is refused is counted, for its form and for its content; for a client
// where there is one of that name, and never for a name that somebody made up.
func TestRefusalsAreCounted(t *testing.T) {
	each(t, func(w *world) {
		const form, asJSON = "application/x-www-form-urlencoded", "application/json"
		for _, c := range []struct {
			name, method, path, kind, body string
			status                         int
			want                           []string
		}{
			{"a token request as JSON", http.MethodPost, "/oauth2/token", asJSON, "{}", 400, []string{"invalid_request"}},
			{"parameters in the URL", http.MethodPost, "/oauth2/token?grant_type=x", form, "", 400, []string{"invalid_request"}},
			{"a form that is broken", http.MethodPost, "/oauth2/introspect", form, "token=%zz", 400, []string{"invalid_request"}},
			{"a form that is too large", http.MethodPost, "/oauth2/revoke", form, "token=" + strings.Repeat("x", 17<<10), 413, []string{"too_large"}},
			{"an authorization that is too large", http.MethodPost, "/oauth2/authorize", form, "state=" + strings.Repeat("x", 9<<10), 413, []string{"too_large"}},
			{"an authorization that is broken", http.MethodGet, "/oauth2/authorize?a=%zz", "", "", 400, []string{"invalid_request"}},
			{"an unknown client", http.MethodPost, "/oauth2/token", form, "grant_type=client_credentials&client_id=nobody&client_secret=x", 401, []string{"invalid_client"}},
			{"a guessed secret", http.MethodPost, "/oauth2/token", form, "grant_type=client_credentials&client_id=demo-service&client_secret=x", 401, []string{"invalid_client demo-service"}},
			{"a secret of who has none", http.MethodPost, "/oauth2/revoke", form, "token=x&client_id=demo-spa&client_secret=x", 401, []string{"invalid_client demo-spa"}},
			{"a guessed secret at introspection", http.MethodPost, "/oauth2/introspect", form, "token=x&client_id=demo-gateway&client_secret=x", 401, []string{"invalid_client demo-gateway"}},
			{"a guessed code", http.MethodPost, "/oauth2/token", form, "grant_type=authorization_code&code=x&client_id=demo-web&client_secret=demo-web-secret", 400, []string{"invalid_grant demo-web"}},
			{"an unknown grant type", http.MethodPost, "/oauth2/token", form, "grant_type=password&client_id=demo-web&client_secret=demo-web-secret", 400, []string{"unsupported_grant_type"}},
			{"an authorization for nobody", http.MethodGet, "/oauth2/authorize?client_id=nobody", "", "", 400, []string{"invalid_client"}},
			{"an authorization that goes back", http.MethodGet, "/oauth2/authorize?client_id=demo-web&redirect_uri=" + url.QueryEscape(callback) + "&response_type=token", "", "", 303, []string{"unsupported_response_type"}},
		} {
			w.sub(c.name, func(w *world) {
				r := w.do(c.method, c.path, c.body, map[string]string{"Content-Type": c.kind})
				if r.status != c.status {
					w.Errorf("status %d, want %d: %s", r.status, c.status, r.body)
				}
				if diff := cmp.Diff(c.want, w.counted()); diff != "" {
					w.Error(diff)
				}
			})
		}
	})
}
