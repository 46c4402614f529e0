package oauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What can't be read is counted; what could be, and was refused, is not: its
// refusal is the answer to a question that was asked.
func TestUnreadableRequestsAreCounted(t *testing.T) {
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
			{"an unknown client", http.MethodPost, "/oauth2/token", form, "grant_type=client_credentials&client_id=nobody&client_secret=x", 401, nil},
			{"an authorization for nobody", http.MethodGet, "/oauth2/authorize?client_id=nobody", "", "", 400, nil},
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
