package oauth_test

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

const accessType = "urn:ietf:params:oauth:token-type:access_token"

// services are one that serves the API of the tenant and may exchange, a second
// one behind it, and one that serves nothing.
func services(w *world) {
	exchanging := func(c *store.Client) {
		c.RedirectURIs, c.GrantTypes = nil, store.Words{oauth2.ExchangeGrant, "client_credentials"}
		c.Scopes, c.Introspects = store.Words{"points:read", "points:write", "offline_access"}, store.Words{issuer + "/api"}
	}
	w.client("orders", "orders-secret", exchanging)
	w.client("billing", "billing-secret", exchanging)
	w.client("stranger", "stranger-secret", func(c *store.Client) { exchanging(c); c.Introspects = nil })
}

func exchange(subject string, changes ...string) url.Values {
	return with(url.Values{"grant_type": {oauth2.ExchangeGrant}, "subject_token": {subject}, "subject_token_type": {accessType}}, changes...)
}

func (w *world) exchanged(client, subject string, changes ...string) string {
	w.Helper()
	r := w.post("/oauth2/token", client, exchange(subject, changes...))
	if r.status != 200 {
		w.Fatalf("no exchange: %d %s", r.status, r.body)
	}
	return r.field("access_token")
}

func TestAServiceActsForACustomer(t *testing.T) {
	each(t, func(w *world) {
		services(w)
		ctx := context.Background()
		access, _ := w.tokens("demo-web")
		w.pass(5 * time.Minute)
		r := w.post("/oauth2/token", "orders", exchange(access, "scope", "points:read"))
		w.guarded(r)
		if r.status != 200 || r.field("issued_token_type") != accessType || r.field("token_type") != "Bearer" || r.field("scope") != "points:read" ||
			r.field("refresh_token") != "" || !strings.Contains(r.body, `"expires_in":600`) {
			w.Fatalf("got %d %s", r.status, r.body)
		}
		from, err := w.provider.Lookup(ctx, access)
		got, err2 := w.provider.Lookup(ctx, r.field("access_token"))
		if err != nil || err2 != nil {
			w.Fatal(err, err2)
		}
		w.sub("the token is the customer's, and names who acts", func(w *world) {
			want := *from
			want.GrantID, want.ClientID, want.Actor, want.Scopes, want.IssuedAt, want.LastUsedAt = got.GrantID, "orders", "orders", []string{"points:read"}, w.now(), got.LastUsedAt
			if diff := cmp.Diff(&want, got); diff != "" || got.GrantID == from.GrantID {
				w.Error(diff)
			}
		})
		w.sub("introspection says so, and of several the last", func(w *world) {
			second := w.exchanged("billing", r.field("access_token"))
			in := w.post("/oauth2/introspect", "orders", url.Values{"token": {second}})
			var told struct {
				Subject string          `json:"sub"`
				Act     json.RawMessage `json:"act"`
			}
			if err := json.Unmarshal([]byte(in.body), &told); err != nil || told.Subject != "cus_alice" ||
				string(told.Act) != `{"sub":"billing","client_id":"billing","act":{"sub":"orders","client_id":"orders"}}` {
				w.Errorf("got %s", in.body)
			}
			if token, err := w.provider.Lookup(ctx, second); err != nil || token.Actor != "billing" || !slices.Equal(token.Scopes, []string{"points:read"}) {
				w.Errorf("%+v %v", token, err)
			}
		})
		w.sub("the record names both", func(w *world) {
			records, err := w.db.Decisions(ctx, store.DecisionFilter{Tenant: "demo", Action: "token.exchange", Tail: true, After: -1, Limit: 9})
			if err != nil || len(records) != 2 {
				w.Fatalf("%d records, %v", len(records), err)
			}
			for _, r := range records {
				if r.Subject != "cus_alice" || !r.Allow || !strings.Contains(string(r.Body), `"actor":{"id":"`+r.Client+`"}`) ||
					!strings.Contains(string(r.Body), `"subject_grant":"grt_`) || strings.Contains(string(r.Body), "pga_") {
					w.Errorf("%s", r.Body)
				}
			}
		})
		w.sub("without a scope it is all that both may, but who the customer is and staying signed in", func(w *world) {
			w.client("wide", "wide-secret", func(c *store.Client) { c.Scopes = append(c.Scopes, "openid") })
			r := w.post("/oauth2/token", "wide", redeem(w.code("client_id", "wide", "scope", "points:read points:write points:transfer openid offline_access")))
			got := w.post("/oauth2/token", "orders", exchange(r.field("access_token")))
			if got.field("scope") != "points:read points:write" {
				w.Errorf("of %s: %s", r.body, got.body)
			}
		})
		w.sub("a client exchanges its own token, too", func(w *world) {
			w.client("shop", "shop-secret", func(c *store.Client) { c.GrantTypes = append(c.GrantTypes, oauth2.ExchangeGrant) })
			own, _ := w.tokens("shop")
			narrow := w.exchanged("shop", own, "scope", "points:read")
			if token, err := w.provider.Lookup(ctx, narrow); err != nil || token.Actor != "shop" {
				w.Errorf("%+v %v", token, err)
			}
		})
		w.sub("an actor token may say once more who acts", func(w *world) {
			fresh, _ := w.tokens("demo-web")
			mine := w.post("/oauth2/token", "orders", url.Values{"grant_type": {"client_credentials"}, "scope": {"points:read"}}).field("access_token")
			w.exchanged("orders", fresh, "actor_token", mine, "actor_token_type", accessType)
			w.want(w.post("/oauth2/token", "billing", exchange(fresh, "actor_token", mine, "actor_token_type", accessType)), 400, "invalid_request")
			w.want(w.post("/oauth2/token", "orders", exchange(fresh, "actor_token", fresh, "actor_token_type", accessType)), 400, "invalid_request")
		})
	})
}

func TestExchangesThatAreRefused(t *testing.T) {
	each(t, func(w *world) {
		services(w)
		access, refresh := w.tokens("demo-web")
		own := w.post("/oauth2/token", "demo-service", url.Values{"grant_type": {"client_credentials"}}).field("access_token")
		idType, jwtType := "urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"
		for name, c := range map[string]struct {
			client string
			form   url.Values
			code   string
		}{
			"a public client":                  {"demo-spa", exchange(access), "unauthorized_client"},
			"a client without the grant type":  {"demo-service", exchange(access), "unauthorized_client"},
			"a service that was not meant":     {"stranger", exchange(access), "invalid_request"},
			"a client's own token":             {"orders", exchange(own), "invalid_request"},
			"a refresh token":                  {"orders", exchange(refresh), "invalid_request"},
			"a code":                           {"orders", exchange(w.code()), "invalid_request"},
			"junk":                             {"orders", exchange("junk"), "invalid_request"},
			"no token":                         {"orders", exchange(""), "invalid_request"},
			"no type":                          {"orders", exchange(access, "subject_token_type", ""), "invalid_request"},
			"an ID token":                      {"orders", exchange(access, "subject_token_type", idType), "invalid_request"},
			"some JWT":                         {"orders", exchange(access, "subject_token_type", jwtType), "invalid_request"},
			"for a refresh token":              {"orders", exchange(access, "requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), "invalid_request"},
			"for an ID token":                  {"orders", exchange(access, "requested_token_type", idType), "invalid_request"},
			"an actor without a type":          {"orders", exchange(access, "actor_token", own), "invalid_request"},
			"a type without an actor":          {"orders", exchange(access, "actor_token_type", accessType), "invalid_request"},
			"an actor of another type":         {"orders", exchange(access, "actor_token", own, "actor_token_type", jwtType), "invalid_request"},
			"another as actor":                 {"orders", exchange(access, "actor_token", own, "actor_token_type", accessType), "invalid_request"},
			"a scope that the token lacks":     {"orders", exchange(access, "scope", "points:read points:transfer"), "invalid_scope"},
			"a scope that the client lacks":    {"orders", exchange(access, "scope", "points:adjust"), "invalid_scope"},
			"staying signed in":                {"orders", exchange(access, "scope", "points:read offline_access"), "invalid_scope"},
			"a resource that it may not have":  {"orders", exchange(access, "resource", "https://elsewhere.example"), "invalid_target"},
			"an audience that it may not have": {"orders", exchange(access, "audience", "https://elsewhere.example"), "invalid_target"},
			"two places":                       {"orders", exchange(access, "audience", issuer+"/api", "resource", "https://elsewhere.example"), "invalid_target"},
		} {
			w.sub(name, func(w *world) {
				r := w.post("/oauth2/token", c.client, c.form)
				w.want(r, 400, c.code)
				w.guarded(r)
			})
		}
		w.sub("an act of one's own making is not heard", func(w *world) {
			token := w.exchanged("orders", access, "act", `{"sub":"stf_admin"}`, "may_act", `{"sub":"stf_admin"}`)
			if in := w.post("/oauth2/introspect", "orders", url.Values{"token": {token}}); !strings.Contains(in.body, `"act":{"sub":"orders","client_id":"orders"}`) {
				w.Errorf("got %s", in.body)
			}
		})
		w.sub("another tenant's token", func(w *world) {
			w.exec(`UPDATE clients SET grant_types = '` + oauth2.ExchangeGrant + `', introspects = '` + issuer + `/api' WHERE tenant = 'other' AND id = 'other-web'`)
			h := map[string]string{"X-Tenant": "other", "Content-Type": "application/x-www-form-urlencoded", "Authorization": basic("other-web", "other-web-secret")}
			w.want(w.do("POST", "/oauth2/token", exchange(access).Encode(), h), 400, "invalid_request")
		})
		w.sub("too many in a row", func(w *world) {
			token := access
			for _, service := range []string{"orders", "billing", "orders", "billing"} {
				token = w.exchanged(service, token)
			}
			w.want(w.post("/oauth2/token", "orders", exchange(token)), 400, "invalid_request")
		})
		w.sub("of a member of staff, by the default policy", func(w *world) {
			storetest.Write(w, w.db, func(tx *store.Tx) error {
				_, err := tx.Exec(context.Background(), `UPDATE grants SET subject_type = 'staff', subject = 'stf_manager' WHERE parent_id = '' AND subject = 'cus_alice'`)
				return err
			})
			w.want(w.post("/oauth2/token", "orders", exchange(access)), 400, "invalid_request")
		})
	})
}

// TestWhatWasExchangedEndsWithItsToken: what a service got never outlives what
// it showed, however that ends.
func TestWhatWasExchangedEndsWithItsToken(t *testing.T) {
	each(t, func(w *world) {
		services(w)
		ctx := context.Background()
		for name, end := range map[string]func(access, refresh, grant string) error{
			"its time": func(string, string, string) error { w.pass(15 * time.Minute); return nil },
			"the app gives the token back": func(access, _, _ string) error {
				w.post("/oauth2/revoke", "demo-web", url.Values{"token": {access}})
				return nil
			},
			"the app gives the refresh token back": func(_, refresh, _ string) error {
				w.post("/oauth2/revoke", "demo-web", url.Values{"token": {refresh}})
				return nil
			},
			"the refresh token is used twice": func(_, refresh, _ string) error {
				w.post("/oauth2/token", "demo-web", again(refresh))
				w.pass(time.Minute)
				w.post("/oauth2/token", "demo-web", again(refresh))
				return nil
			},
			"the customer disconnects the app": func(_, _, grant string) error {
				return w.db.Write(ctx, func(tx *store.Tx) error { return tx.RevokeGrant(ctx, "demo", grant, "cus_alice") })
			},
			"an administrator ends all of the app's": func(string, string, string) error {
				return w.db.Write(ctx, func(tx *store.Tx) error {
					_, _, err := tx.RevokeGrants(ctx, store.GrantMatch{Tenant: "demo", Client: "demo-web"}, "stf_admin")
					return err
				})
			},
		} {
			w.sub(name, func(w *world) {
				access, refresh := w.tokens("demo-web")
				first := w.exchanged("orders", access)
				second := w.exchanged("billing", first)
				token, err := w.provider.Lookup(ctx, access)
				if err != nil || w.status(second) != oauth2.Valid {
					w.Fatal(err, w.status(second))
				}
				if err := end(access, refresh, token.GrantID); err != nil {
					w.Fatal(err)
				}
				if a, b := w.status(first), w.status(second); a == oauth2.Valid || b == oauth2.Valid {
					w.Errorf("the first is %s, the second %s", a, b)
				}
				for _, shown := range []string{access, first, second} {
					w.want(w.post("/oauth2/token", "orders", exchange(shown)), 400, "invalid_request")
				}
			})
		}
	})
}

// TestExchangeBesideRevocation: whichever is first, nothing lives afterwards.
func TestExchangeBesideRevocation(t *testing.T) {
	each(t, func(w *world) {
		services(w)
		for range 5 {
			access, refresh := w.tokens("demo-web")
			var n int
			replies := parallel(12, func() reply { return w.post("/oauth2/token", "orders", exchange(access)) }, func() reply {
				return w.post("/oauth2/revoke", "demo-web", url.Values{"token": {refresh}})
			})
			for _, r := range replies {
				if token := r.field("access_token"); token != "" {
					n++
					if s := w.status(token); s != oauth2.Revoked {
						w.Errorf("a token of the race is %s", s)
					}
				} else if r.status != 200 {
					w.want(r, 400, "invalid_request")
				}
			}
			w.Logf("%d of 12 were faster than the revocation", n)
		}
	})
}
