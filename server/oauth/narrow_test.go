package oauth_test

import (
	"strings"
	"testing"
)

// TestATokenLosesWhatItsClientLost: a scope that was taken from a client is gone
// from its live tokens at once.
func TestATokenLosesWhatItsClientLost(t *testing.T) {
	each(t, func(w *world) {
		access, _ := w.tokens("demo-web")
		w.exec(`UPDATE clients SET scopes = 'points:read offline_access' WHERE id = 'demo-web'`)
		r := w.post("/oauth2/introspect", "demo-gateway", token(access))
		if got := r.field("scope"); strings.Contains(got, "points:write") || !strings.Contains(got, "points:read") {
			w.Errorf("scope %q after points:write was taken from the client", got)
		}
	})
}
