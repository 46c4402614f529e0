package oauth_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

const site = "https://app.example/cb"

// consents has alice allow some of what a client asks for.
func (w *world) consents(ticked string, changes ...string) {
	w.Helper()
	if _, err := w.approve(w.flow(asks(changes...)), strings.Fields(ticked)); err != nil {
		w.Fatal(err)
	}
}

// answers is where a request ends that alice sends: code, or what [world.led] says.
func (w *world) answers(changes ...string) string {
	w.Helper()
	r := w.authorize(asks(changes...))
	if r.location("code") != "" && r.location("iss") == issuer && r.location("state") == "st" {
		return "code"
	}
	to, _, _ := strings.Cut(r.header.Get("Location"), "?")
	if e := r.location("error"); e != "" {
		return e
	}
	return to
}

func TestConsentIsRemembered(t *testing.T) {
	for name, c := range map[string]struct {
		consented string // of "points:read points:write offline_access"
		given     []string
		again     []string
		want      string
	}{
		"the same":                       {"points:read points:write offline_access", nil, nil, "code"},
		"less":                           {"points:read points:write offline_access", nil, []string{"scope", "points:write"}, "code"},
		"without a page":                 {"points:read points:write offline_access", nil, []string{"prompt", "none"}, "code"},
		"more":                           {"points:read points:write", nil, nil, "/consent"},
		"more without a page":            {"points:read points:write", nil, []string{"prompt", "none"}, "consent_required"},
		"what was not ticked":            {"points:read", nil, []string{"scope", "points:write"}, "/consent"},
		"a client that wants to ask":     {"points:read points:write offline_access", nil, []string{"prompt", "consent"}, "/consent"},
		"another client":                 {"points:read points:write offline_access", nil, []string{"client_id", "second"}, "/consent"},
		"for another server":             {"points:read points:write offline_access", nil, []string{"resource", "https://mcp.example", "scope", "points:read"}, "/consent"},
		"for the same other server":      {"points:read", []string{"resource", "https://mcp.example", "scope", "points:read"}, []string{"resource", "https://mcp.example/", "scope", "points:read"}, "code"},
		"of the other server, for ours":  {"points:read", []string{"resource", "https://mcp.example", "scope", "points:read"}, []string{"scope", "points:read"}, "/consent"},
		"a public app on this machine":   {"points:read points:write offline_access", []string{"client_id", "demo-spa"}, []string{"client_id", "demo-spa"}, "/consent"},
		"a public app of its own scheme": {"points:read points:write offline_access", []string{"client_id", "app", "redirect_uri", "com.example.app:/cb"}, []string{"client_id", "app", "redirect_uri", "com.example.app:/cb"}, "/consent"},
		"a public app at a site":         {"points:read points:write offline_access", []string{"client_id", "app", "redirect_uri", site}, []string{"client_id", "app", "redirect_uri", site}, "code"},
		"a public app, else elsewhere":   {"points:read points:write offline_access", []string{"client_id", "app", "redirect_uri", site}, []string{"client_id", "app", "redirect_uri", "com.example.app:/cb"}, "/consent"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				w.client("second", "second-secret", nil)
				w.client("app", "", func(c *store.Client) { c.Public, c.RedirectURIs = true, store.Words{site, "com.example.app:/cb"} })
				w.resource("mcp", "https://mcp.example", func(s *store.Resource) { s.Open = true })
				w.consents(c.consented, c.given...)
				if got := w.answers(c.again...); got != c.want {
					t.Errorf("it leads to %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestConsentThatIsNotRememberedAnyMore(t *testing.T) {
	ctx := context.Background()
	for name, forget := range map[string]func(tx *store.Tx, c *store.Client) error{
		"taken back": func(tx *store.Tx, c *store.Client) error {
			return tx.Forget(ctx, store.ConsentMatch{Tenant: "demo", User: "cus_alice", Client: "demo-web"})
		},
		"its answers may go elsewhere": func(tx *store.Tx, c *store.Client) error {
			c.RedirectURIs = append(c.RedirectURIs, "https://evil.example/cb")
			return tx.UpdateClient(ctx, c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				w.consents("points:read points:write offline_access")
				if got := w.answers(); got != "code" {
					t.Fatalf("before: %s", got)
				}
				if err := w.db.Write(ctx, func(tx *store.Tx) error {
					c, err := store.GetClient(ctx, tx, "demo", "demo-web")
					if err != nil {
						return err
					}
					return forget(tx, c)
				}); err != nil {
					t.Fatal(err)
				}
				if got := w.answers(); got != "/consent" {
					t.Errorf("after: %s", got)
				}
			})
		})
	}
}

// TestRememberedConsentIsADecision: it is recorded with what it is, and a rule
// that doesn't want it has the person asked.
func TestRememberedConsentIsADecision(t *testing.T) {
	each(t, func(w *world) {
		w.consents("points:read points:write offline_access")
		r := w.authorize(asks())
		rec, err := w.db.Decision(context.Background(), "demo", r.header.Get("X-Decision-Id"))
		if err != nil {
			w.Fatal(err)
		}
		if rec.Action != "consent.grant" || !rec.Allow || rec.Subject != "cus_alice" || rec.Client != "demo-web" || !strings.Contains(string(rec.Body), `"remembered":true`) {
			w.Errorf("recorded is %s", rec.Body)
		}
		if r := w.post("/oauth2/token", "demo-web", redeem(r.location("code"))); r.status != 200 {
			w.Errorf("the code is worth %d %s", r.status, r.body)
		}
		w.rule("consent.grant", "denied", 403)
		if got := w.answers(); got != "/consent" {
			w.Errorf("denied by a rule, it leads to %q", got)
		}
		if got := w.answers("prompt", "none"); got != "consent_required" {
			w.Errorf("denied by a rule, without a page: %q", got)
		}
	})
}

// TestNothingIsGivenWhileItIsTakenBack: however requests and the person's change
// of mind meet, no grant stays that was made after it.
func TestNothingIsGivenWhileItIsTakenBack(t *testing.T) {
	ctx := context.Background()
	each(t, func(w *world) {
		w.consents("points:read points:write offline_access")
		var asking sync.WaitGroup
		for range 8 {
			asking.Go(func() { w.authorize(asks()) })
		}
		if err := w.db.Write(ctx, func(tx *store.Tx) error {
			_, _, err := tx.RevokeGrants(ctx, store.GrantMatch{Tenant: "demo", Client: "demo-web", Subject: "cus_alice"}, "cus_alice")
			if err != nil {
				return err
			}
			return tx.Forget(ctx, store.ConsentMatch{Tenant: "demo", Client: "demo-web", User: "cus_alice"})
		}); err != nil {
			w.Fatal(err)
		}
		asking.Wait()
		live, err := store.Grants(ctx, w.db, store.GrantFilter{Tenant: "demo", Subject: "cus_alice", LiveAt: store.At(w.now()), Limit: 20})
		if err != nil || len(live) != 0 {
			w.Errorf("%d grants are live, %v", len(live), err)
		}
	})
}

// resource registers a server that tokens can be for.
func (w *world) resource(id, uri string, edit func(s *store.Resource)) {
	w.Helper()
	s := &store.Resource{Tenant: "demo", ID: id, URI: uri, Name: "Points for assistants", Scopes: store.Words{"points:read"}, CreatedAt: store.At(w.now())}
	edit(s)
	for _, f := range oauth2.CheckResource(&store.Tenant{Issuer: issuer}, s) {
		w.Fatalf("resource %s: %s: %s", id, f.Field, f.Detail)
	}
	if err := w.db.Write(context.Background(), func(tx *store.Tx) error { return tx.InsertResource(context.Background(), s) }); err != nil {
		w.Fatal(err)
	}
}
