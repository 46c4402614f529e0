package tests

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/tests/harness"
)

// tokens are fresh tokens of a new grant of Alice's for the app.
func (p *proof) tokens(t *testing.T, app string, changes ...string) *harness.Tokens {
	t.Helper()
	code := p.code(t, append([]string{"client_id", app}, changes...)...)
	return accepts(t, p.post(t, "/oauth2/token", app, redeems(code)))
}

// refreshes: what refresh tokens may not do, and what their theft is worth.
func (p *proof) refreshes(t *testing.T) {
	live := p.tokens(t, "demo-web")
	for name, c := range map[string]struct{ app, token string }{
		"T17 unknown":         {"demo-web", "pgr_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43)},
		"T17 garbage":         {"demo-web", "garbage"},
		"T17 an access token": {"demo-web", live.Access},
		"T17 an access token that calls itself one":         {"demo-web", "pgr_" + strings.TrimPrefix(live.Access, "pga_")},
		"T17 another client's":                              {"second", live.Refresh},
		"T17 another client's, which is public":             {"demo-spa", live.Refresh},
		"T17 a code":                                        {"demo-web", p.code(t)},
		"T17 expired":                                       {"second", p.expired(t).Refresh},
		"T17 of another tenant, whose client has this name": {"demo-web", p.olgas(t).Refresh},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, p.post(t, "/oauth2/token", c.app, again(c.token)), 400, "invalid_grant")
		})
	}
	t.Run("T22 for another resource", func(t *testing.T) {
		refuses(t, p.post(t, "/oauth2/token", "demo-web", again(live.Refresh, "resource", "https://elsewhere.example/api")), 400, "invalid_target")
	})
	t.Run("T21 narrower, back again, and never wider", func(t *testing.T) {
		narrow := accepts(t, p.post(t, "/oauth2/token", "demo-web", again(live.Refresh, "scope", "points:read")))
		if narrow.Scope != "points:read" {
			t.Errorf("scope %q", narrow.Scope)
		}
		for _, scope := range []string{"points:read points:write", "points:steal", "Points:Read"} {
			refuses(t, p.post(t, "/oauth2/token", "demo-web", again(narrow.Refresh, "scope", scope)), 400, "invalid_scope")
		}
		if back := accepts(t, p.post(t, "/oauth2/token", "demo-web", again(narrow.Refresh))); back.Scope != "points:read offline_access" {
			t.Errorf("after a refused widening: scope %q", back.Scope)
		}
	})
	p.reuse(t)
	p.inParallel(t)
}

// expired are tokens of the client second whose time is over.
func (p *proof) expired(t *testing.T) *harness.Tokens {
	t.Helper()
	got := p.tokens(t, "second")
	for _, table := range []string{"access_tokens", "refresh_tokens"} {
		p.change(t, `UPDATE `+table+` SET expires_at = created_at + 1 WHERE client_id = 'second'`)
	}
	return got
}

// olgas are tokens of the tenant other.
func (p *proof) olgas(t *testing.T) *harness.Tokens {
	t.Helper()
	return must(p.Tokens(harness.People["olga"], harness.Apps["other-web"], "points:read offline_access"))(t)
}

func (p *proof) reuse(t *testing.T) {
	t.Run("T18 used, without grace", func(t *testing.T) {
		was := p.tokens(t, "demo-spa")
		next := accepts(t, p.post(t, "/oauth2/token", "demo-spa", again(was.Refresh)))
		refuses(t, p.post(t, "/oauth2/token", "demo-spa", again(was.Refresh)), 400, "invalid_grant")
		p.dead(t, "demo-spa", was)
		p.dead(t, "demo-spa", next)
	})
	t.Run("T18 used, after its grace", func(t *testing.T) {
		was := p.tokens(t, "demo-web")
		next := accepts(t, p.post(t, "/oauth2/token", "demo-web", again(was.Refresh)))
		p.change(t, `UPDATE refresh_tokens SET grace_ends_at = created_at + 1 WHERE used_at IS NOT NULL AND grace_ends_at IS NOT NULL`)
		refuses(t, p.post(t, "/oauth2/token", "demo-web", again(was.Refresh)), 400, "invalid_grant")
		p.dead(t, "demo-web", next)
	})
	t.Run("T20 within the grace", func(t *testing.T) {
		was := p.tokens(t, "demo-web")
		first := p.post(t, "/oauth2/token", "demo-web", again(was.Refresh))
		next := accepts(t, first)
		if second := p.post(t, "/oauth2/token", "demo-web", again(was.Refresh)); string(second.Body) != string(first.Body) {
			t.Errorf("not the same successor: %s, %s", first, second)
		}
		last := accepts(t, p.post(t, "/oauth2/token", "demo-web", again(next.Refresh)))
		refuses(t, p.post(t, "/oauth2/token", "demo-web", again(was.Refresh)), 400, "invalid_grant")
		p.dead(t, "demo-web", last)
	})
	t.Run("T20 within the grace, by another client", func(t *testing.T) {
		was := p.tokens(t, "demo-web")
		next := accepts(t, p.post(t, "/oauth2/token", "demo-web", again(was.Refresh)))
		refuses(t, p.post(t, "/oauth2/token", "second", again(was.Refresh)), 400, "invalid_grant")
		p.dead(t, "demo-web", next)
	})
}

func (p *proof) inParallel(t *testing.T) {
	for name, id := range map[string]string{"T19 twenty at once, with a grace": "demo-web", "T19 twenty at once, without": "demo-spa"} {
		t.Run(name, func(t *testing.T) {
			app := p.apps[id]
			was := p.tokens(t, id)
			answers := atOnce(t, 20, func(int) (*harness.Answer, error) { return p.Refresh(app, was.Refresh) })
			successors := map[string]bool{}
			for _, a := range answers {
				switch {
				case a.Status == http.StatusOK:
					successors[string(a.Body)] = true
				case a.Status != http.StatusBadRequest || a.Code() != "invalid_grant":
					t.Errorf("got %s", a)
				}
			}
			if len(successors) > 1 || app.Secret != "" && tally(answers)["200 "] != 20 {
				t.Errorf("%d successors: %v", len(successors), tally(answers))
			}
		})
	}
}

// services: tokens that a client gets for itself.
func (p *proof) services(t *testing.T) {
	grant := func(scope string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	}
	t.Run("T23 by a public client", func(t *testing.T) {
		refuses(t, p.post(t, "/oauth2/token", "demo-spa", grant("points:read")), 400, "unauthorized_client")
	})
	t.Run("T23 a scope that it has not", func(t *testing.T) {
		for _, scope := range []string{"points:transfer", "points:read admin", "points:steal", "Points:Read", " "} {
			refuses(t, p.post(t, "/oauth2/token", "demo-service", grant(scope)), 400, "invalid_scope")
		}
	})
	t.Run("T23 no refresh token", func(t *testing.T) {
		if a := p.post(t, "/oauth2/token", "demo-service", grant("points:read")); accepts(t, a).Refresh != "" || strings.Contains(string(a.Body), "refresh") {
			t.Error(a)
		}
	})
	t.Run("T24 what goes well is not kept either", func(t *testing.T) {
		plain(t, p.post(t, "/oauth2/token", "demo-service", grant("points:read"))) // refuses looks at each refusal
	})
}

// ends: whatever ends an authorization ends it at once, and on each node.
func (p *proof) ends(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, grant string){
		"T25 the person revokes it": func(t *testing.T, _ string) {
			for _, f := range must(harness.Forms(must(p.alice.Open("/account/apps"))(t).Body))(t) {
				if f.Fields.Get("client") == "second" {
					must(p.alice.Submit(f))(t)
				}
			}
		},
		"T25 an administrator revokes it": func(t *testing.T, grant string) {
			if a := must(p.Send(harness.Request{Method: http.MethodDelete, URL: "/admin/api/grants/" + grant, Token: p.Demo.AdminToken}))(t); a.Status != http.StatusNoContent {
				t.Error(a)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.tokens(t, "second")
			for _, s := range p.nodes() {
				if a := must(s.Get("/api/points", got.Access))(t); a.Status != http.StatusOK {
					t.Errorf("before: %s", a)
				}
			}
			end(t, p.newestGrant(t, "second"))
			for _, s := range p.nodes() {
				if a := must(s.Get("/api/points", got.Access))(t); a.Status != http.StatusUnauthorized {
					t.Errorf("the access token: %s", a)
				}
				refuses(t, must(s.Refresh(p.apps["second"], got.Refresh))(t), 400, "invalid_grant")
			}
		})
	}
	for id, end := range map[string]harness.Request{
		"deleted":  {Method: http.MethodDelete},
		"disabled": {Method: http.MethodPatch, Body: `{"disabled":true}`, Header: http.Header{"Content-Type": {"application/json"}}},
	} {
		t.Run("T26 a client that was "+id, func(t *testing.T) {
			p.register(t, map[string]any{
				"id": id, "name": "Doomed", "grant_types": words("authorization_code refresh_token"),
				"redirect_uris": []string{callback}, "scopes": words("points:read offline_access"),
			})
			got := p.tokens(t, id)
			end.URL, end.Token = "/admin/api/clients/"+id, p.Demo.AdminToken
			if a := must(p.Send(end))(t); a.Status/100 != 2 {
				t.Fatal(a)
			}
			refuses(t, p.post(t, "/oauth2/token", id, again(got.Refresh)), 401, "invalid_client")
			if a := must(p.Get("/api/points", got.Access))(t); a.Status != http.StatusUnauthorized {
				t.Errorf("its access token: %s", a)
			}
			if a := p.post(t, "/oauth2/introspect", "demo-gateway", url.Values{"token": {got.Access}}); string(a.Body) != `{"active":false}` {
				t.Errorf("its access token: %s", a)
			}
		})
	}
	t.Run("T27 a secret is rotated", p.rotatedSecret)
}

func (p *proof) rotatedSecret(t *testing.T) {
	p.register(t, map[string]any{"id": "rotating", "name": "Rotating", "grant_types": words("client_credentials"), "scopes": words("points:read")})
	old := p.apps["rotating"]
	a := must(p.Post("/admin/api/clients/rotating/secrets", p.Demo.AdminToken, map[string]int{"overlap_s": 3600}))(t)
	next := harness.App{ID: "rotating", Secret: must(a.At("client_secret"))(t)}
	for _, app := range []harness.App{old, next} {
		must(p.Service(app, "points:read"))(t)
	}
	p.change(t, `UPDATE client_secrets SET expires_at = created_at + 1 WHERE client_id = 'rotating' AND expires_at IS NOT NULL`)
	must(p.Service(next, "points:read"))(t)
	refuses(t, must(p.Token(old, url.Values{"grant_type": {"client_credentials"}}))(t), 401, "invalid_client")
}

// newestGrant is the id of Alice's last authorization of the app.
func (p *proof) newestGrant(t *testing.T, app string) string {
	t.Helper()
	a := must(p.Get(fmt.Sprintf("/admin/api/grants?customer=cus_alice&client=%s&limit=1", app), p.Demo.AdminToken))(t)
	return must(a.At("data.0.id"))(t)
}
