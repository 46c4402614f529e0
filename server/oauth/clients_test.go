package oauth_test

import (
	"context"
	"encoding/base64"
	"net/url"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestClientAuthentication(t *testing.T) {
	each(t, func(w *world) {
		odd := "s+e%c:r e&t=ü"
		w.client("odd", odd, func(c *store.Client) {
			c.RedirectURIs, c.GrantTypes = nil, store.Words{"client_credentials"}
		})
		raw := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
		for name, c := range map[string]struct {
			authorization string
			changes       []string
			status        int
			code          string
		}{
			"Basic":                                  {basic("demo-service", "demo-service-secret"), nil, 200, ""},
			"Basic, with the same client_id":         {basic("demo-service", "demo-service-secret"), []string{"client_id", "demo-service"}, 200, ""},
			"Basic, in another case":                 {"bASIC " + basic("demo-service", "demo-service-secret")[6:], nil, 200, ""},
			"Basic, percent-encoded":                 {basic("odd", odd), nil, 200, ""},
			"the body":                               {"", []string{"client_id", "demo-service", "client_secret", "demo-service-secret"}, 200, ""},
			"the body, odd":                          {"", []string{"client_id", "odd", "client_secret", odd}, 200, ""},
			"nobody":                                 {"", nil, 401, "invalid_client"},
			"an unknown client":                      {basic("nobody", "x"), nil, 401, "invalid_client"},
			"an unknown client in the body":          {"", []string{"client_id", "nobody", "client_secret", "x"}, 401, "invalid_client"},
			"a wrong secret":                         {basic("demo-service", "wrong"), nil, 401, "invalid_client"},
			"another's secret":                       {basic("demo-service", "demo-web-secret"), nil, 401, "invalid_client"},
			"no secret":                              {basic("demo-service", ""), nil, 401, "invalid_client"},
			"no secret in the body":                  {"", []string{"client_id", "demo-service"}, 401, "invalid_client"},
			"a client of another tenant":             {basic("other-web", "other-web-secret"), nil, 401, "invalid_client"},
			"an id that no database takes":           {raw("%00:x"), nil, 401, "invalid_client"},
			"an id that is not UTF-8":                {raw("%ff:x"), nil, 401, "invalid_client"},
			"no colon":                               {raw("demo-service"), nil, 401, "invalid_client"},
			"half an escape":                         {raw("demo-service:%4"), nil, 401, "invalid_client"},
			"not base64":                             {"Basic ???", nil, 401, "invalid_client"},
			"nothing after Basic":                    {"Basic", nil, 401, "invalid_client"},
			"another scheme":                         {"Bearer x", nil, 401, "invalid_client"},
			"Basic and a secret in the body":         {basic("demo-service", "demo-service-secret"), []string{"client_secret", "demo-service-secret"}, 400, "invalid_request"},
			"Basic and another client_id":            {basic("demo-service", "demo-service-secret"), []string{"client_id", "demo-web"}, 400, "invalid_request"},
			"a secret and an assertion":              {"", []string{"client_id", "demo-service", "client_secret", "demo-service-secret", "client_assertion", "x"}, 400, "invalid_request"},
			"Basic and an assertion":                 {basic("demo-service", "demo-service-secret"), []string{"client_assertion", "x"}, 400, "invalid_request"},
			"an assertion":                           {"", []string{"client_id", "demo-service", "client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, 401, "invalid_client"},
			"a public client with a secret":          {"", []string{"client_id", "demo-spa", "client_secret", "x"}, 401, "invalid_client"},
			"a public client with a secret in Basic": {basic("demo-spa", "x"), nil, 401, "invalid_client"},
		} {
			w.sub(name, func(w *world) {
				h := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
				if c.authorization != "" {
					h["Authorization"] = c.authorization
				}
				form := with(url.Values{"grant_type": {"client_credentials"}}, c.changes...)
				r := w.do("POST", "/oauth2/token", form.Encode(), h)
				w.want(r, c.status, c.code)
				w.guarded(r)
			})
		}
		w.sub("unknown and wrong look the same", func(w *world) {
			form := url.Values{"grant_type": {"client_credentials"}, "client_secret": {"x"}}
			a := w.post("/oauth2/token", "", with(form, "client_id", "nobody"))
			b := w.post("/oauth2/token", "", with(form, "client_id", "demo-service"))
			if a.body != b.body || a.header.Get("WWW-Authenticate") != b.header.Get("WWW-Authenticate") {
				w.Errorf("%s, %s", a.body, b.body)
			}
		})
		w.sub("a public client that says no secret in Basic", func(w *world) {
			h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic("demo-spa", "")}
			w.want(w.do("POST", "/oauth2/token", redeem(w.code("client_id", "demo-spa")).Encode(), h), 200, "")
		})
	})
}

func TestSecretsAreRotated(t *testing.T) {
	ctx := context.Background()
	each(t, func(w *world) {
		fresh := oauth2.NewSecret()
		storetest.Write(w, w.db, func(tx *store.Tx) error {
			if _, err := tx.ExpireClientSecrets(ctx, "demo", "demo-service", store.At(w.now().Add(time.Hour))); err != nil {
				return err
			}
			return tx.InsertClientSecret(ctx, &store.ClientSecret{ID: "sec_new", Tenant: "demo", ClientID: "demo-service", Hash: oauth2.HashSecret(fresh), CreatedAt: tx.Now()})
		})
		ask := func(secret string) reply {
			h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic("demo-service", secret)}
			return w.do("POST", "/oauth2/token", "grant_type=client_credentials", h)
		}
		w.want(ask("demo-service-secret"), 200, "")
		w.want(ask(fresh), 200, "")
		w.pass(time.Hour)
		w.want(ask("demo-service-secret"), 401, "invalid_client")
		w.want(ask(fresh), 200, "")
		w.exec(`UPDATE clients SET disabled_at = 1 WHERE id = 'demo-service'`)
		w.want(ask(fresh), 401, "invalid_client")
	})
}
