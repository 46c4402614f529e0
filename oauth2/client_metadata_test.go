package oauth2

import (
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
)

// FuzzClientMetadata reads what strangers send and publish: whatever is taken is
// a client that may be registered, and can do no more than such a client may.
func FuzzClientMetadata(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `{"redirect_uris":["https://app.example/cb"]}`,
		`{"client_id":"https://app.example/c","redirect_uris":["http://127.0.0.1/cb","com.example.app:/cb"],"token_endpoint_auth_method":"none"}`,
		`{"client_name":"x","client_name":"y","redirect_uris":["https://a/"]}`,
		`{"redirect_uris":["javascript:alert(1)"],"grant_types":["client_credentials"],"scope":"admin"}`,
		`{"client_name":"a\u202eb","redirect_uris":["https://a/"],"jwks":{"keys":[]},"jwks_uri":"https://a/k","trusted":true}`,
		`{"redirect_uris":["https://a/"],"grant_types":["authorization_code","refresh_token"],"scope":"points:read offline_access","post_logout_redirect_uris":["https://a/"]}`,
		`{"redirect_uris":["https://a/"],"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://a/keys","dpop_bound_access_tokens":true}`,
		`{"redirect_uris":["http://127.0.0.2/cb"]}`, // the machine's own, too
		strings.Repeat(`{"a":`, 40), "{\"redirect_uris\":[\"https://a/\xff\"]}",
	} {
		f.Add([]byte(seed))
	}
	t := &store.Tenant{ID: "demo", Issuer: "https://points.example", AppSchemes: store.Words{"com.example.app"}}
	f.Fuzz(func(tt *testing.T, body []byte) {
		dynamic := &store.Client{Tenant: "demo", ID: "dyn_x", RegisteredBy: "dynamic"}
		if readRegistration(t, dynamic, body) == nil {
			modest(tt, t, dynamic)
		}
		document := &store.Client{Tenant: "demo", ID: "https://app.example/c", RegisteredBy: "document"}
		if readDocument(t, document, body) == nil {
			modest(tt, t, document)
			if HasSecret(document) {
				tt.Errorf("a document with a secret: %+v", document)
			}
		}
	})
}

func modest(tt *testing.T, t *store.Tenant, c *store.Client) {
	for _, fault := range CheckClient(c) {
		tt.Errorf("%s: %s: %+v", fault.Field, fault.Detail, c)
	}
	if c.Trusted || len(c.Introspects)+len(c.Resources)+len(c.Origins) > 0 || c.TLSSubject != "" || c.Owner != "" || !c.DisabledAt.IsZero() {
		tt.Errorf("it says what it may not: %+v", c)
	}
	for _, g := range c.GrantTypes {
		if g != "authorization_code" && g != "refresh_token" {
			tt.Errorf("grant %q", g)
		}
	}
	for _, s := range c.Scopes {
		if !MayHold("customer", s) {
			tt.Errorf("scope %q", s)
		}
	}
	for _, r := range c.RedirectURIs {
		loopback := strings.HasPrefix(r, "http://127.") || strings.HasPrefix(r, "http://[::1]") || strings.HasPrefix(r, "http://localhost")
		if !strings.HasPrefix(r, "https://") && !loopback && !strings.HasPrefix(r, "com.example.app:") {
			tt.Errorf("redirect %q", r)
		}
	}
}

func FuzzDocumentID(f *testing.F) {
	for _, seed := range []string{"https://app.example/c", "https://app.example", "http://127.0.0.1:1/c", "https://a@b/c", "https://a/../c", "https://a/%2e%2e/c", "https://[::1]/c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		web := strings.HasPrefix(id, "https://") || strings.HasPrefix(id, "http://")
		if isDocumentID(id) && (len(id) > maxDocumentID || strings.ContainsAny(id, "#? \\*") || !web) {
			t.Errorf("%q", id)
		}
	})
}

func TestDocumentsAreFreshForAWhile(t *testing.T) {
	for control, want := range map[string]time.Duration{
		"": time.Hour, "max-age=600": 10 * time.Minute, "public, Max-Age=\"7200\"": 2 * time.Hour, "max-age=1": 5 * time.Minute,
		"max-age=99999999": 24 * time.Hour, "max-age=9999999999999999999": time.Hour, "max-age=-1": time.Hour, "no-store": 5 * time.Minute,
		"max-age=600, no-cache": 5 * time.Minute, "nonsense": time.Hour,
	} {
		if got := freshFor(control); got != want {
			t.Errorf("%q: %s, want %s", control, got, want)
		}
	}
}
