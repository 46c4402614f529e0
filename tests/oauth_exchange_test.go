package tests

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/tests/harness"
)

const accessTokenType = "urn:ietf:params:oauth:token-type:access_token"

func (p *proof) exchange(t *testing.T, app, token string, changes ...string) *harness.Answer {
	t.Helper()
	return p.post(t, "/oauth2/token", app, with(url.Values{
		"grant_type": {oauth2.ExchangeGrant}, "subject_token": {token}, "subject_token_type": {accessTokenType},
	}, changes...))
}

// exchanges: a service that acts for a customer (RFC 8693).
func (p *proof) exchanges(t *testing.T) {
	service := map[string]any{
		"id": "orders", "name": "Orders", "grant_types": []string{oauth2.ExchangeGrant}, "scopes": words("points:read points:write"),
		"introspects": []string{p.URL + "/api"},
	}
	p.register(t, service)
	service["id"], service["introspects"] = "stranger", []string{}
	p.register(t, service)
	live := p.tokens(t, "demo-web")
	t.Run("X1 the service reads for the customer, and the record names both", func(t *testing.T) {
		a := p.exchange(t, "orders", live.Access)
		accepts(t, a)
		if a.Header.Get("X-Decision-Id") == "" || must(a.At("issued_token_type"))(t) != accessTokenType || strings.Contains(string(a.Body), "refresh_token") {
			t.Error(a)
		}
		read := must(p.Get("/api/points", must(a.At("access_token"))(t)))(t)
		if read.Status != http.StatusOK {
			t.Fatal(read)
		}
		for _, id := range []string{a.Header.Get("X-Decision-Id"), read.Header.Get("X-Decision-Id")} {
			record := must(p.Get("/admin/api/decisions/"+id, p.Demo.AdminToken))(t)
			if must(record.At("input.subject.id"))(t) != "cus_alice" || must(record.At("input.context.actor.id"))(t) != "orders" {
				t.Error(record)
			}
		}
	})
	t.Run("X2 it gets no more than it was shown", func(t *testing.T) {
		refuses(t, p.exchange(t, "orders", live.Access, "scope", "points:read points:write"), 400, "invalid_scope")
		refuses(t, p.exchange(t, "orders", live.Access, "resource", "https://elsewhere.example"), 400, "invalid_target")
	})
	for name, c := range map[string]struct{ app, token, code string }{
		"X3 a service that was not meant":  {"stranger", live.Access, "invalid_request"},
		"X3 a public client":               {"demo-spa", live.Access, "unauthorized_client"},
		"X3 a client without the grant":    {"demo-service", live.Access, "unauthorized_client"},
		"X4 a refresh token":               {"orders", live.Refresh, "invalid_request"},
		"X4 a token of a client":           {"orders", must(p.Service(harness.Apps["demo-service"], "points:read"))(t).Access, "invalid_request"},
		"X4 another tenant's":              {"orders", p.olgas(t).Access, "invalid_request"},
		"X4 expired":                       {"orders", p.expired(t).Access, "invalid_request"},
		"X4 a personal token of the staff": {"orders", p.Demo.AdminToken, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, p.exchange(t, c.app, c.token), 400, c.code) })
	}
	t.Run("X5 an actor of one's own making", func(t *testing.T) {
		a := p.exchange(t, "orders", live.Access, "act", `{"sub":"admin"}`)
		told := p.post(t, "/oauth2/introspect", "demo-gateway", shows(must(a.At("access_token"))(t)))
		if must(told.At("act.sub"))(t) != "orders" || must(told.At("sub"))(t) != "cus_alice" {
			t.Error(told)
		}
	})
	t.Run("X6 when the customer disconnects the app, at once", func(t *testing.T) {
		mine := p.tokens(t, "demo-web")
		token := must(p.exchange(t, "orders", mine.Access).At("access_token"))(t)
		apps := must(p.alice.Open("/account/apps"))(t)
		if strings.Contains(string(apps.Body), "Orders") {
			t.Error("the service is shown as an app of its own")
		}
		told := p.post(t, "/oauth2/introspect", "demo-gateway", shows(token))
		var of struct{ Active bool }
		if err := json.Unmarshal(told.Body, &of); err != nil || !of.Active {
			t.Fatal(told)
		}
		if a := must(p.Post("/admin/api/revocations", p.Demo.AdminToken, map[string]any{"client": "demo-web", "customer": "cus_alice"}))(t); a.Status != http.StatusCreated {
			t.Fatal(a)
		}
		if a := must(p.Get("/api/points", token))(t); a.Status != http.StatusUnauthorized || a.Code() != "revoked_credentials" {
			t.Error(a)
		}
		refuses(t, p.exchange(t, "orders", mine.Access), 400, "invalid_request")
	})
}
