package oauth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// saysOf are the claims of a JWT, unverified: who made it is not the question here.
func (w *world) saysOf(token string) map[string]any {
	w.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		w.Fatalf("%q is no JWT", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		w.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(raw, &claims); err != nil {
		w.Fatal(err)
	}
	return claims
}

func TestExchangedTokensOfAllKinds(t *testing.T) {
	each(t, func(w *world) {
		services(w)
		w.exec(`UPDATE clients SET token_format = 'jwt' WHERE id = 'billing'`)
		w.exec(`UPDATE clients SET token_format = 'jwt', scopes = 'points:read openid' WHERE id = 'demo-spa'`)
		w.sub("a JWT names who acts, and is exchanged like others", func(w *world) {
			r := w.post("/oauth2/token", "demo-spa", redeem(w.code("client_id", "demo-spa", "scope", "points:read openid")))
			w.want(r, 200, "")
			first := w.exchanged("billing", r.field("access_token"))
			if c := w.saysOf(first); c["sub"] != "cus_alice" || c["client_id"] != "billing" || c["act"].(map[string]any)["sub"] != "billing" {
				w.Errorf("claims %v", c)
			}
			got := w.post("/oauth2/token", "billing", exchange(first))
			act := w.saysOf(got.field("access_token"))["act"].(map[string]any)
			if got.field("id_token") != "" || act["act"].(map[string]any)["sub"] != "billing" {
				w.Errorf("got %s, act %v", got.body, act)
			}
			w.post("/oauth2/revoke", "demo-spa", url.Values{"token": {r.field("access_token")}})
			if s := w.status(got.field("access_token")); s != oauth2.Revoked {
				w.Errorf("after the first was given back, the JWT is %s", s)
			}
		})
		w.sub("it is bound to the key of the service, not to that of the app", func(w *world) {
			app, service := jwttest.New(w, "ES256"), jwttest.New(w, "ES256")
			bound := w.prove("demo-web", redeem(w.code()), app, nil).field("access_token")
			r := w.prove("orders", exchange(bound), service, nil)
			w.want(r, 200, "")
			if kind, jkt, _ := w.cnf(r.field("access_token")); kind != "DPoP" || jkt != service.Thumbprint() || r.field("token_type") != "DPoP" {
				w.Errorf("got %s, %s", kind, jkt)
			}
			w.want(w.prove("orders", exchange(bound), service, map[string]any{"jti": strings.Repeat("j", 30)}), 200, "")
			w.want(w.prove("orders", exchange(bound), service, map[string]any{"jti": strings.Repeat("j", 30)}), 400, "invalid_dpop_proof")
		})
		w.sub("it is for another resource where the service may have that", func(w *world) {
			storetest.Write(w, w.db, func(tx *store.Tx) error {
				return tx.InsertResource(context.Background(), &store.Resource{
					Tenant: "demo", ID: "ledger", URI: "https://ledger.example/api", Name: "Ledger", Scopes: store.Words{"points:read"}, CreatedAt: tx.Now()})
			})
			access, _ := w.tokens("demo-web")
			w.want(w.post("/oauth2/token", "orders", exchange(access, "resource", "https://ledger.example/api")), 400, "invalid_target")
			w.exec(`UPDATE clients SET resources = 'https://ledger.example/api' WHERE id = 'orders'`)
			token := w.exchanged("orders", access, "audience", "https://ledger.example/api")
			if got, err := w.provider.Lookup(context.Background(), token); err != nil || got.Audience != "https://ledger.example/api" || strings.Join(got.Scopes, " ") != "points:read" {
				w.Errorf("%+v %v", got, err)
			}
			w.want(w.post("/oauth2/token", "orders", exchange(token, "resource", "https://ledger.example/api")), 200, "") // its own
			w.want(w.post("/oauth2/token", "orders", exchange(token)), 400, "invalid_request")                            // for another place
			w.want(w.post("/oauth2/token", "billing", exchange(token)), 400, "invalid_request")
		})
	})
}

func TestDevicesGetTokensOfAllKinds(t *testing.T) {
	each(t, func(w *world) {
		televisions(w)
		key := jwttest.New(w, "ES256")
		poll := func(code string) url.Values {
			return url.Values{"grant_type": {oauth2.DeviceGrant}, "device_code": {code}}
		}
		w.sub("bound to its key, the refresh token too", func(w *world) {
			d := w.device()
			w.want(w.prove("demo-tv", poll(d.field("device_code")), key, nil), 400, "authorization_pending")
			if err := w.letIn(d.field("user_code")); err != nil {
				w.Fatal(err)
			}
			r := w.prove("demo-tv", poll(d.field("device_code")), key, nil)
			w.want(r, 200, "")
			if kind, jkt, _ := w.cnf(r.field("access_token")); kind != "DPoP" || jkt != key.Thumbprint() {
				w.Errorf("got %s, %s", kind, jkt)
			}
			w.want(w.prove("demo-tv", again(r.field("refresh_token")), jwttest.New(w, "ES256"), nil), 400, "invalid_grant")
			w.want(w.prove("demo-tv", again(r.field("refresh_token")), key, nil), 200, "")
		})
		w.sub("as a JWT, with an ID token", func(w *world) {
			w.exec(`UPDATE clients SET token_format = 'jwt', scopes = 'points:read openid' WHERE id = 'demo-tv'`)
			d := w.device("scope", "points:read openid")
			if err := w.letIn(d.field("user_code")); err != nil {
				w.Fatal(err)
			}
			r := w.poll(d.field("device_code"))
			w.want(r, 200, "")
			if a, id := w.saysOf(r.field("access_token")), w.saysOf(r.field("id_token")); a["sub"] != "cus_alice" || id["aud"] != "demo-tv" || id["sub"] != "cus_alice" {
				w.Errorf("access %v, id %v", a, id)
			}
		})
	})
}
