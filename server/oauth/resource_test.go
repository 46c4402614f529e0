package oauth_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/pointgate/pointgate/store"
)

const mcp = "https://mcp.example"

// servers are resources of all kinds, and clients that may ask for some.
func (w *world) servers() {
	w.Helper()
	w.resource("mcp", mcp, func(s *store.Resource) { s.Open = true })
	w.resource("closed", "https://closed.example/mcp", func(*store.Resource) {})
	w.resource("off", "https://off.example", func(s *store.Resource) { s.Open, s.DisabledAt = true, store.At(w.now()) })
	w.client("partner", "partner-secret", func(c *store.Client) { c.Resources = store.Words{"https://closed.example/mcp"} })
	w.client("mcp-server", "mcp-server-secret", func(c *store.Client) {
		c.RedirectURIs, c.GrantTypes, c.Scopes, c.Introspects = nil, nil, nil, store.Words{mcp}
	})
	w.client("machine", "machine-secret", func(c *store.Client) {
		c.RedirectURIs, c.GrantTypes, c.Scopes = nil, store.Words{"client_credentials"}, store.Words{"points:read", "points:write"}
	})
	other := store.Resource{Tenant: "other", ID: "mcp", URI: "https://foreign.example", Name: "X", Scopes: store.Words{"points:read"}, Open: true, CreatedAt: store.At(w.now())}
	if err := w.db.Write(context.Background(), func(tx *store.Tx) error { return tx.InsertResource(context.Background(), &other) }); err != nil {
		w.Fatal(err)
	}
}

// TestA18Resource: what is no resource of the client's is invalid_target, before
// anybody logs in.
func TestA18Resource(t *testing.T) {
	each(t, func(w *world) {
		w.servers()
		for name, c := range map[string]struct{ client, resource, want string }{
			"the API":                      {"demo-web", issuer + "/api", "/consent"},
			"open to all":                  {"demo-web", mcp, "/consent"},
			"with the slash of libraries":  {"demo-web", mcp + "/", "/consent"},
			"closed, to a client with it":  {"partner", "https://closed.example/mcp", "/consent"},
			"closed, to another":           {"demo-web", "https://closed.example/mcp", "invalid_target"},
			"a slash that is another path": {"partner", "https://closed.example/mcp/", "invalid_target"},
			"switched off":                 {"demo-web", "https://off.example", "invalid_target"},
			"of another tenant":            {"demo-web", "https://foreign.example", "invalid_target"},
			"another tenant's API":         {"demo-web", "http://other.localhost/api", "invalid_target"},
			"unknown":                      {"demo-web", "https://unknown.example", "invalid_target"},
			"below it":                     {"demo-web", mcp + "/below", "invalid_target"},
			"in another case":              {"demo-web", "https://MCP.example", "invalid_target"},
			"with a fragment":              {"demo-web", mcp + "#a", "invalid_target"},
			"relative":                     {"demo-web", "/mcp", "invalid_target"},
			"no URI":                       {"demo-web", "mcp", "invalid_target"},
			"of letters that are not its":  {"demo-web", "https://mcp.exämple", "invalid_target"},
		} {
			w.sub(name, func(w *world) {
				if got := w.answers("client_id", c.client, "resource", c.resource, "scope", "points:read"); got != c.want {
					w.Errorf("it leads to %q, want %q", got, c.want)
				}
			})
		}
		w.sub("two", func(w *world) {
			q := asks("scope", "points:read")
			q["resource"] = []string{mcp, issuer + "/api"}
			if r := w.authorize(q); r.location("error") != "invalid_target" || r.location("code") != "" {
				w.Errorf("to %s", r.header.Get("Location"))
			}
		})
		for name, c := range map[string]struct{ scope, want string }{
			"a scope that it has not":          {"points:read points:write", "invalid_scope"},
			"a scope of this server beside it": {"points:read offline_access", "/consent"},
			"no scope: all that it has":        {"", "/consent"},
		} {
			w.sub(name, func(w *world) {
				if got := w.answers("resource", mcp, "scope", c.scope); got != c.want {
					w.Errorf("it leads to %q, want %q", got, c.want)
				}
			})
		}
		if f := w.flow(asks("resource", mcp, "scope", "")); len(f.Scopes) != 1 || f.Scopes[0] != "points:read" {
			w.Errorf("without a scope, %v is asked for", f.Scopes)
		}
	})
}

// TestTokensForAResource are good there and nowhere else.
func TestTokensForAResource(t *testing.T) {
	each(t, func(w *world) {
		w.servers()
		code := w.code("resource", mcp+"/", "scope", "points:read offline_access")
		w.want(w.post("/oauth2/token", "demo-web", redeem(code, "resource", issuer+"/api")), 400, "invalid_target")
		r := w.post("/oauth2/token", "demo-web", redeem(code, "resource", mcp))
		w.want(r, 200, "")
		access, refresh := r.field("access_token"), r.field("refresh_token")

		seen := func(by, token string) string {
			return w.post("/oauth2/introspect", by, url.Values{"token": {token}}).field("aud")
		}
		if aud := seen("mcp-server", access); aud != mcp {
			w.Errorf("its server sees audience %q", aud)
		}
		if aud := seen("demo-gateway", access); aud != "" {
			w.Errorf("the API's gateway sees audience %q", aud)
		}
		api, _ := w.tokens("demo-web")
		if aud := seen("mcp-server", api); aud != "" {
			w.Errorf("the other server sees the API's audience %q", aud)
		}
		grants, err := store.Grants(context.Background(), w.db, store.GrantFilter{Tenant: "demo", Client: "demo-web", Limit: 9})
		if err != nil || len(grants) != 2 || grants[1].Audience[0] != mcp && grants[0].Audience[0] != mcp {
			w.Errorf("grants %+v, %v", grants, err)
		}

		// T22: a refresh is for what was authorized, and the token is still good after a refusal.
		for _, other := range []string{issuer + "/api", "https://closed.example/mcp", "https://unknown.example", "#"} {
			w.want(w.post("/oauth2/token", "demo-web", again(refresh, "resource", other)), 400, "invalid_target")
		}
		two := again(refresh)
		two["resource"] = []string{mcp, mcp}
		w.want(w.post("/oauth2/token", "demo-web", two), 400, "invalid_target")
		r = w.post("/oauth2/token", "demo-web", again(refresh, "resource", mcp))
		w.want(r, 200, "")
		if aud := seen("mcp-server", r.field("access_token")); aud != mcp {
			w.Errorf("after a refresh its server sees audience %q", aud)
		}
		w.want(w.post("/oauth2/token", "demo-web", again(r.field("refresh_token"))), 200, "")
	})
}

// TestAResourceThatIsTakenAway: from a client, or from all.
func TestAResourceThatIsTakenAway(t *testing.T) {
	ctx := context.Background()
	each(t, func(w *world) {
		w.servers()
		code := func() string {
			return w.code("client_id", "partner", "resource", "https://closed.example/mcp", "scope", "points:read offline_access")
		}
		r := w.post("/oauth2/token", "partner", redeem(code()))
		w.want(r, 200, "")
		partner := func(resources ...string) {
			w.Helper()
			if err := w.db.Write(ctx, func(tx *store.Tx) error {
				c, err := store.GetClient(ctx, tx, "demo", "partner")
				if err != nil {
					return err
				}
				c.Resources = resources
				return tx.UpdateClient(ctx, c)
			}); err != nil {
				w.Fatal(err)
			}
		}
		partner()
		w.want(w.post("/oauth2/token", "partner", again(r.field("refresh_token"))), 400, "invalid_grant")
		partner("https://closed.example/mcp")
		w.want(w.post("/oauth2/token", "partner", again(r.field("refresh_token"))), 200, "")

		waiting := w.flow(asks("client_id", "partner", "resource", "https://closed.example/mcp", "scope", "points:read"))
		w.exec(`UPDATE resources SET disabled_at = 1 WHERE tenant = 'demo' AND id = 'closed'`)
		if to, err := w.approve(waiting, waiting.Scopes); err == nil {
			w.Errorf("a request that waited for consent got %q", to)
		}
	})
}

func TestClientsOwnTokensForAResource(t *testing.T) {
	each(t, func(w *world) {
		w.servers()
		own := func(changes ...string) reply {
			return w.post("/oauth2/token", "machine", with(url.Values{"grant_type": {"client_credentials"}}, changes...))
		}
		r := own("resource", mcp)
		w.want(r, 200, "")
		if r.field("scope") != "points:read" {
			w.Errorf("of the scopes of the client, those of the resource: got %q", r.field("scope"))
		}
		if aud := w.post("/oauth2/introspect", "mcp-server", url.Values{"token": {r.field("access_token")}}).field("aud"); aud != mcp {
			w.Errorf("its server sees audience %q", aud)
		}
		w.want(own("resource", mcp, "scope", "points:write"), 400, "invalid_scope")
		w.want(own("resource", "https://closed.example/mcp"), 400, "invalid_target")
		w.want(own("resource", "https://unknown.example"), 400, "invalid_target")
		w.want(own("resource", issuer+"/api"), 200, "")
	})
}
