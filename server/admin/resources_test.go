package admin_test

import (
	"context"
	"errors"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

const mcp = `{"id":"mcp","uri":"https://mcp.example","name":"MCP","scopes":["points:read"]}`

func TestBadResources(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.ok(201, "admin", "POST", "/resources", mcp)
	for name, tc := range map[string]struct {
		method, path, body, field string
	}{
		"a fragment":        {"POST", "/resources", `{"uri":"https://x.example/#a","name":"X","scopes":["points:read"]}`, "uri"},
		"relative":          {"POST", "/resources", `{"uri":"/mcp","name":"X","scopes":["points:read"]}`, "uri"},
		"no URI":            {"POST", "/resources", `{"name":"X","scopes":["points:read"]}`, "uri"},
		"our own API":       {"POST", "/resources", `{"uri":"http://demo.localhost/api","name":"X","scopes":["points:read"]}`, "uri"},
		"no scope":          {"POST", "/resources", `{"uri":"https://x.example","name":"X","scopes":[]}`, "scopes"},
		"an unknown scope":  {"POST", "/resources", `{"uri":"https://x.example","name":"X","scopes":["points:steal"]}`, "scopes"},
		"another URI later": {"PATCH", "/resources/mcp", `{"uri":"https://x.example"}`, "uri"},
		"no name later":     {"PATCH", "/resources/mcp", `{"name":null}`, "name"},
		"no scope later":    {"PATCH", "/resources/mcp", `{"scopes":[]}`, "scopes"},
		"open to nothing":   {"PATCH", "/resources/mcp", `{"open":null}`, "open"},
	} {
		a := w.ok(422, "admin", tc.method, tc.path, tc.body)
		equal(t, name, a.fields(t), []string{tc.field})
	}
	for name, body := range map[string]string{
		"the same id":             `{"id":"mcp","uri":"https://x.example","name":"X","scopes":["points:read"]}`,
		"the same URI":            `{"uri":"https://mcp.example","name":"X","scopes":["points:read"]}`,
		"the same with a slash":   `{"uri":"https://mcp.example/","name":"X","scopes":["points:read"]}`,
		"that of no other tenant": `{"uri":"https://mcp.example","name":"X","scopes":["points:read"]}`,
	} {
		status := 409
		caller := "admin"
		if name == "that of no other tenant" {
			status, caller = 201, "other"
		}
		equal(t, name, w.as(caller, "POST", "/resources", body).status, status)
	}
	equal(t, "another tenant's", w.as("other", "GET", "/resources/mcp", "").status, 404)
}

// TestWhatWasGivenForAResourceEndsWithIt, and nothing else.
func TestWhatWasGivenForAResourceEndsWithIt(t *testing.T) {
	ctx := context.Background()
	for name, end := range map[string]func(w *world){
		"switched off": func(w *world) { w.ok(200, "admin", "PATCH", "/resources/mcp", `{"disabled":true}`) },
		"removed":      func(w *world) { w.ok(204, "admin", "DELETE", "/resources/mcp", "") },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				storetest.User(t, db, "demo", "cus_a")
				w.ok(201, "admin", "POST", "/resources", mcp)
				storetest.Grant(t, db, store.Grant{ID: "grt_api", ClientID: "web", Subject: "cus_a"})
				storetest.Grant(t, db, store.Grant{ID: "grt_mcp", ClientID: "web", Subject: "cus_a", Audience: store.Words{"https://mcp.example"}})
				w.consents("https://mcp.example", "http://demo.localhost/api")
				end(w)
				equal(t, "live grants", w.ids("admin", "/grants?live=true"), []string{"grt_api"})
				equal(t, "remembered", w.remembered("https://mcp.example", "http://demo.localhost/api"), 1)
				_, err := store.GetConsent(ctx, db, "demo", "cus_a", "web", "https://mcp.example")
				equal(t, "the other is forgotten", errors.Is(err, store.ErrNotFound), true)
			})
		})
	}
}

// consents makes cus_a have consented to web for some audiences.
func (w *world) consents(audiences ...string) {
	w.t.Helper()
	storetest.Write(w.t, w.db, func(tx *store.Tx) error {
		for _, audience := range audiences {
			c := store.Consent{Tenant: "demo", UserID: "cus_a", ClientID: "web", Audience: audience, Scopes: store.Words{"points:read"}}
			if err := tx.Remember(context.Background(), &c, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// remembered counts what is left of consents.
func (w *world) remembered(audiences ...string) (n int) {
	w.t.Helper()
	for _, audience := range audiences {
		switch _, err := store.GetConsent(context.Background(), w.db, "demo", "cus_a", "web", audience); {
		case err == nil:
			n++
		case !errors.Is(err, store.ErrNotFound):
			w.t.Fatal(err)
		}
	}
	return n
}

// TestConsentsAreForgotten where an administrator takes back what they are
// about, and kept where not.
func TestConsentsAreForgotten(t *testing.T) {
	for name, tc := range map[string]struct {
		method, path, body string
		left               int
	}{
		"of a client":                   {"POST", "/revocations", `{"client":"web"}`, 0},
		"of a customer":                 {"POST", "/revocations", `{"customer":"cus_a"}`, 0},
		"of another":                    {"POST", "/revocations", `{"customer":"cus_b"}`, 1},
		"of a tenant":                   {"POST", "/revocations", `{"tenant":"demo"}`, 0},
		"of long ago":                   {"POST", "/revocations", `{"issued_before":"2001-01-01T00:00:00Z"}`, 1},
		"one grant":                     {"DELETE", "/grants/grant-demo-cus_a", "", 0},
		"the client is deleted":         {"DELETE", "/clients/web", "", 0},
		"the client is switched off":    {"PATCH", "/clients/web", `{"disabled":true}`, 0},
		"the person is gone":            {"DELETE", "/customers/cus_a", "", 0},
		"its answers go elsewhere":      {"PATCH", "/clients/web", `{"redirect_uris":["https://app.example/cb","https://evil.example/cb"]}`, 0},
		"its answers go where they did": {"PATCH", "/clients/web", `{"redirect_uris":["https://app.example/cb"],"name":"New"}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t))
			storetest.User(t, w.db, "demo", "cus_a")
			storetest.User(t, w.db, "demo", "cus_b")
			w.ok(201, "admin", "POST", "/clients", webClient)
			w.grantOf("demo", "web", "cus_a")
			w.consents("http://demo.localhost/api")
			if a := w.as("admin", tc.method, tc.path, tc.body); a.status >= 300 {
				t.Fatal(a.status, a.body)
			}
			equal(t, "remembered", w.remembered("http://demo.localhost/api"), tc.left)
		})
	}
}
