package oauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// registration sets who may register clients of demo.
func (w *world) registration(mode string) {
	w.Helper()
	w.exec(`UPDATE tenants SET registration = '` + mode + `', app_schemes = 'com.example.app' WHERE id = 'demo'`)
	if err := w.db.LoadTenants(context.Background()); err != nil {
		w.Fatal(err)
	}
}

// initial makes an initial access token.
func (w *world) initial(id string, edit func(*store.RegistrationToken)) string {
	w.Helper()
	secret := oauth2.NewInitialToken()
	t := &store.RegistrationToken{ID: id, Tenant: "demo", Name: id, Hash: oauth2.HashSecret(secret), CreatedAt: store.At(w.now()), Most: 100}
	if edit != nil {
		edit(t)
	}
	storetest.Write(w, w.db, func(tx *store.Tx) error { return tx.InsertRegistrationToken(context.Background(), t) })
	return secret
}

func (w *world) about(method, path, bearer, body string) reply {
	h := map[string]string{}
	if body != "" {
		h["Content-Type"] = "application/json"
	}
	if bearer != "" {
		h["Authorization"] = "Bearer " + bearer
	}
	return w.do(method, path, body, h)
}

const (
	spaMetadata = `{"client_name":"My App","redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"scope":"points:read offline_access admin"}`
	webMetadata = `{"client_name":"My Web","redirect_uris":["https://app.example/cb"]}`
)

func TestRegisterAnswersWithWhatWasRegistered(t *testing.T) {
	each(t, func(w *world) {
		w.registration("open")
		for name, c := range map[string]struct {
			body   string
			want   map[string]any
			secret bool
		}{
			"a public one": {spaMetadata, map[string]any{
				"client_name": "My App", "redirect_uris": []any{"https://app.example/cb"}, "token_endpoint_auth_method": "none",
				"grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"}, "scope": "points:read offline_access",
			}, false},
			"the least": {webMetadata, map[string]any{
				"client_name": "My Web", "redirect_uris": []any{"https://app.example/cb"}, "token_endpoint_auth_method": "client_secret_basic",
				"grant_types": []any{"authorization_code"}, "response_types": []any{"code"}, "scope": "points:read points:write points:transfer openid email profile",
			}, true},
			"all that is known, and more": {`{"redirect_uris":["http://127.0.0.1/cb","com.example.app:/cb","https://app.example/cb?a=b","https://app.example/cb?a=b"],
				"token_endpoint_auth_method":"client_secret_post","client_uri":"https://app.example","scope":"points:read","response_types":["code"],
				"post_logout_redirect_uris":["https://app.example/bye"],"backchannel_logout_uri":"https://app.example/out","dpop_bound_access_tokens":true,
				"require_pushed_authorization_requests":true,"logo_uri":"https://app.example/logo","contacts":["a@app.example"],"trusted":true,
				"introspects":["x"],"registered_by":"admin","software_id":"x","jwks":null,"x":{"y":[1]}}`, map[string]any{
				"client_name": "127.0.0.1", "client_uri": "https://app.example", "redirect_uris": []any{"http://127.0.0.1/cb", "com.example.app:/cb", "https://app.example/cb?a=b"},
				"token_endpoint_auth_method": "client_secret_post", "grant_types": []any{"authorization_code"}, "response_types": []any{"code"}, "scope": "points:read",
				"post_logout_redirect_uris": []any{"https://app.example/bye"}, "backchannel_logout_uri": "https://app.example/out",
				"dpop_bound_access_tokens": true, "require_pushed_authorization_requests": true,
			}, true},
		} {
			w.sub(name, func(w *world) {
				r := w.about("POST", "/oauth2/register", "", c.body)
				if r.status != 201 || r.header.Get("Cache-Control") != "no-store" || r.header.Get("X-Decision-Id") == "" {
					w.Fatalf("%d %v %s", r.status, r.header, r.body)
				}
				var got map[string]any
				if err := json.Unmarshal([]byte(r.body), &got); err != nil {
					w.Fatal(err)
				}
				id := got["client_id"].(string)
				if !strings.HasPrefix(id, "dyn_") || got["registration_client_uri"] != issuer+"/oauth2/register/"+id ||
					!strings.HasPrefix(got["registration_access_token"].(string), "pgm_") || got["client_id_issued_at"] != float64(w.now().Unix()) {
					w.Errorf("%v", got)
				}
				if secret, ok := got["client_secret"].(string); ok != c.secret || ok && (!strings.HasPrefix(secret, "pgs_") || got["client_secret_expires_at"] != 0.0) {
					w.Errorf("%v", got)
				}
				for _, name := range []string{"client_id", "client_id_issued_at", "client_secret", "client_secret_expires_at", "registration_access_token", "registration_client_uri"} {
					delete(got, name)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					w.Error(diff)
				}
				row, err := store.GetClient(context.Background(), w.db, "demo", id)
				if err != nil || row.RegisteredBy != "dynamic" || row.Trusted || len(row.Introspects)+len(row.Resources)+len(row.Origins) > 0 || row.Owner != "" {
					w.Errorf("%+v %v", row, err)
				}
			})
		}
	})
}

func TestRegisterRefuses(t *testing.T) {
	each(t, func(w *world) {
		w.registration("open")
		uris := func(list string) string { return `{"redirect_uris":` + list + `}` }
		with := func(member string) string { return `{"redirect_uris":["https://app.example/cb"],` + member + `}` }
		for name, c := range map[string][2]string{
			"nothing":                     {"", "invalid_client_metadata"},
			"no object":                   {`[]`, "invalid_client_metadata"},
			"half an object":              {`{"redirect_uris":`, "invalid_client_metadata"},
			"two objects":                 {webMetadata + webMetadata, "invalid_client_metadata"},
			"a member twice":              {with(`"client_name":"a","client_name":"b"`), "invalid_client_metadata"},
			"a member twice, deep":        {with(`"x":{"a":1,"a":2}`), "invalid_client_metadata"},
			"too deep":                    {with(`"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20)), "invalid_client_metadata"},
			"not UTF-8":                   {with("\"client_name\":\"\xff\""), "invalid_client_metadata"},
			"too much":                    {with(`"x":"` + strings.Repeat("a", 17<<10) + `"`), "invalid_client_metadata"},
			"no address":                  {`{"client_name":"x"}`, "invalid_redirect_uri"},
			"an empty list":               {uris(`[]`), "invalid_redirect_uri"},
			"addresses that are no list":  {uris(`"https://app.example/cb"`), "invalid_redirect_uri"},
			"an address that is none":     {uris(`[1]`), "invalid_redirect_uri"},
			"http":                        {uris(`["http://app.example/cb"]`), "invalid_redirect_uri"},
			"a fragment":                  {uris(`["https://app.example/cb#x"]`), "invalid_redirect_uri"},
			"a user":                      {uris(`["https://a@app.example/cb"]`), "invalid_redirect_uri"},
			"a wildcard":                  {uris(`["https://*.example/cb"]`), "invalid_redirect_uri"},
			"a script":                    {uris(`["javascript:alert(1)"]`), "invalid_redirect_uri"},
			"data":                        {uris(`["data:text/html,x"]`), "invalid_redirect_uri"},
			"an app that is not listed":   {uris(`["com.other.app:/cb"]`), "invalid_redirect_uri"},
			"an app without a dot":        {uris(`["cursor://cb"]`), "invalid_redirect_uri"},
			"one good, one bad":           {uris(`["https://app.example/cb","http://app.example/cb"]`), "invalid_redirect_uri"},
			"a long address":              {uris(`["https://app.example/` + strings.Repeat("a", 600) + `"]`), "invalid_redirect_uri"},
			"too many":                    {uris(`["https://a/` + strings.Repeat(`1","https://a/`, 20) + `"]`), "invalid_redirect_uri"},
			"a grant without a person":    {with(`"grant_types":["authorization_code","client_credentials"]`), "invalid_client_metadata"},
			"a device":                    {with(`"grant_types":["urn:ietf:params:oauth:grant-type:device_code","authorization_code"]`), "invalid_client_metadata"},
			"implicit":                    {with(`"grant_types":["implicit","authorization_code"]`), "invalid_client_metadata"},
			"refresh alone":               {with(`"grant_types":["refresh_token"]`), "invalid_client_metadata"},
			"tokens at once":              {with(`"response_types":["token"]`), "invalid_client_metadata"},
			"no scope that can be had":    {with(`"scope":"admin points:adjust"`), "invalid_client_metadata"},
			"scopes in a list":            {with(`"scope":["points:read"]`), "invalid_client_metadata"},
			"an unknown method":           {with(`"token_endpoint_auth_method":"client_secret_jwt"`), "invalid_client_metadata"},
			"a certificate":               {with(`"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject":"dns:x.example"`), "invalid_client_metadata"},
			"an assertion without keys":   {with(`"token_endpoint_auth_method":"private_key_jwt"`), "invalid_client_metadata"},
			"keys that are none":          {with(`"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[]}`), "invalid_client_metadata"},
			"keys in the clear":           {with(`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"http://app.example/keys"`), "invalid_client_metadata"},
			"a homepage that is a script": {with(`"client_uri":"javascript:alert(1)"`), "invalid_client_metadata"},
			"a name of two lines":         {with(`"client_name":"a\nb"`), "invalid_client_metadata"},
			"a name turned round":         {with(`"client_name":"a\u202eb"`), "invalid_client_metadata"},
			"a name too long":             {with(`"client_name":"` + strings.Repeat("a", 101) + `"`), "invalid_client_metadata"},
		} {
			w.sub(name, func(w *world) {
				r := w.do("POST", "/oauth2/register", c[0], map[string]string{"Content-Type": "application/json"})
				w.want(r, 400, c[1])
				if n, err := store.CountClients(context.Background(), w.db, "demo", "dynamic", ""); err != nil || n != 0 {
					w.Errorf("%d clients, %v", n, err)
				}
			})
		}
		w.sub("a form", func(w *world) {
			w.want(w.do("POST", "/oauth2/register", webMetadata, map[string]string{"Content-Type": "text/plain"}), 400, "invalid_request")
		})
		w.sub("a query", func(w *world) {
			w.want(w.about("POST", "/oauth2/register?x=y", "", webMetadata), 400, "invalid_request")
		})
		w.sub("where it is off", func(w *world) {
			w.registration("off")
			w.want(w.about("POST", "/oauth2/register", "", webMetadata), 403, "access_denied")
			w.want(w.about("POST", "/oauth2/register", "", "junk"), 403, "access_denied")
			w.want(w.about("POST", "/oauth2/register", w.initial("reg_off", nil), webMetadata), 403, "access_denied")
		})
		w.sub("what the policy narrows", func(w *world) {
			w.registration("open")
			w.rule("client.register", "denied", 403)
			defer w.rule("", "", 0)
			w.want(w.about("POST", "/oauth2/register", "", webMetadata), 403, "access_denied")
		})
	})
}

func TestInitialTokens(t *testing.T) {
	each(t, func(w *world) {
		w.registration("token")
		other := oauth2.NewInitialToken()
		storetest.Write(w, w.db, func(tx *store.Tx) error {
			return tx.InsertRegistrationToken(context.Background(), &store.RegistrationToken{
				ID: "reg_other", Tenant: "other", Name: "o", Hash: oauth2.HashSecret(other), CreatedAt: tx.Now(), Most: 9})
		})
		for name, token := range map[string]string{
			"none": "", "junk": "junk", "unknown": oauth2.NewInitialToken(), "another tenant's": other,
			"revoked": w.initial("reg_revoked", func(t *store.RegistrationToken) { t.RevokedAt = store.At(w.now()) }),
			"expired": w.initial("reg_expired", func(t *store.RegistrationToken) { t.ExpiresAt = store.At(w.now()) }),
			"used up": w.initial("reg_used", func(t *store.RegistrationToken) { t.Used, t.Most = 2, 2 }),
		} {
			w.sub(name, func(w *world) {
				r := w.about("POST", "/oauth2/register", token, webMetadata)
				w.want(r, 401, "invalid_token")
				want := `Bearer realm="` + issuer + `"`
				if token != "" {
					want += `, error="invalid_token"`
				}
				if got := r.header.Get("WWW-Authenticate"); got != want {
					w.Errorf("%s, want %s", got, want)
				}
			})
		}
		w.sub("one is counted, also where many come at once", func(w *world) {
			token := w.initial("reg_three", func(t *store.RegistrationToken) { t.Most = 3 })
			made := 0
			for _, r := range parallel(8, func() reply { return w.about("POST", "/oauth2/register", token, webMetadata) }) {
				if r.status == 201 {
					made++
				} else {
					w.want(r, 401, "invalid_token")
				}
			}
			row, err := store.GetRegistrationToken(context.Background(), w.db, "demo", "reg_three")
			if err != nil || made != 3 || row.Used != 3 {
				w.Errorf("%d made, %+v %v", made, row, err)
			}
		})
		w.sub("one that is refused is not counted", func(w *world) {
			token := w.initial("reg_kept", func(t *store.RegistrationToken) { t.Most = 1 })
			w.want(w.about("POST", "/oauth2/register", token, `{}`), 400, "invalid_redirect_uri")
			w.want(w.about("POST", "/oauth2/register", token, webMetadata), 201, "")
		})
		w.sub("a bad one is refused also where none is needed", func(w *world) {
			w.registration("open")
			w.want(w.about("POST", "/oauth2/register", oauth2.NewInitialToken(), webMetadata), 401, "invalid_token")
		})
	})
}

// registered registers and returns the client's id, registration token and secret.
func (w *world) registered(body string) (id, token, secret string) {
	w.Helper()
	r := w.about("POST", "/oauth2/register", "", body)
	if r.status != 201 {
		w.Fatalf("%d %s", r.status, r.body)
	}
	return r.field("client_id"), r.field("registration_access_token"), r.field("client_secret")
}

func TestRegisteredClientsGetTokens(t *testing.T) {
	each(t, func(w *world) {
		w.registration("open")
		id, _, _ := w.registered(spaMetadata)
		form := redeem(w.code("client_id", id, "redirect_uri", "https://app.example/cb", "scope", "points:read offline_access"))
		form.Set("client_id", id)
		form.Set("redirect_uri", "https://app.example/cb")
		r := w.post("/oauth2/token", "", form)
		if r.status != 200 || r.field("scope") != "points:read offline_access" || r.field("refresh_token") == "" {
			w.Errorf("%d %s", r.status, r.body)
		}
		q := asks("client_id", id, "redirect_uri", "https://app.example/cb", "scope", "admin")
		if r := w.authorize(q); r.location("error") != "invalid_scope" {
			w.Errorf("%d %s", r.status, r.header.Get("Location"))
		}
		w.want(w.post("/oauth2/token", "", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}}), 400, "unauthorized_client")
	})
}

func TestRegistrationsAreManaged(t *testing.T) {
	each(t, func(w *world) {
		w.registration("open")
		id, token, secret := w.registered(webMetadata)
		_, others, _ := w.registered(webMetadata)
		path := "/oauth2/register/" + id
		w.sub("by their own token alone", func(w *world) {
			for name, bad := range map[string][2]string{
				"none": {path, ""}, "another's": {path, others}, "its secret": {path, secret}, "no such client": {"/oauth2/register/dyn_none", token},
				"an admin's client": {"/oauth2/register/demo-web", token}, "junk": {"/oauth2/register/%00", token}, "junk token": {path, "pgm_"},
			} {
				for _, method := range []string{"GET", "PUT", "DELETE"} {
					if r := w.about(method, bad[0], bad[1], ""); r.status != 401 || r.error() != "invalid_token" {
						w.Errorf("%s %s: %d %s", name, method, r.status, r.body)
					}
				}
			}
		})
		w.sub("read", func(w *world) {
			r := w.about("GET", path, token, "")
			if r.status != 200 || r.field("client_name") != "My Web" || r.field("registration_access_token") != token || strings.Contains(r.body, "client_secret\"") {
				w.Errorf("%d %s", r.status, r.body)
			}
		})
		w.sub("not replaced by nonsense", func(w *world) {
			whole := `"redirect_uris":["https://app.example/cb"],"client_name":"New"`
			for name, body := range map[string]string{
				"no id": `{` + whole + `}`, "another's id": `{"client_id":"dyn_x",` + whole + `}`,
				"what the server says":  `{"client_id":"` + id + `","client_id_issued_at":1,` + whole + `}`,
				"another's secret":      `{"client_id":"` + id + `","client_secret":"x",` + whole + `}`,
				"a secret that is none": `{"client_id":"` + id + `","client_secret":7,` + whole + `}`,
				"a public one":          `{"client_id":"` + id + `","token_endpoint_auth_method":"none",` + whole + `}`,
				"a grant of its own":    `{"client_id":"` + id + `","grant_types":["client_credentials"],` + whole + `}`,
			} {
				if r := w.about("PUT", path, token, body); r.status != 400 || r.error() != "invalid_client_metadata" {
					w.Errorf("%s: %d %s", name, r.status, r.body)
				}
			}
		})
		w.sub("replaced, with another token", func(w *world) {
			body := fmt.Sprintf(`{"client_id":%q,"client_secret":%q,"redirect_uris":["https://new.example/cb"],"client_name":"New","scope":"points:read"}`, id, secret)
			replies := parallel(4, func() reply { return w.about("PUT", path, token, body) })
			var next string
			for _, r := range replies {
				if r.status == 200 {
					if next != "" {
						w.Error("replaced twice with one token")
					}
					next = r.field("registration_access_token")
					if r.field("client_name") != "New" || r.field("scope") != "points:read" || r.field("client_secret") != "" {
						w.Error(r.body)
					}
				} else if r.status != 401 {
					w.Errorf("%d %s", r.status, r.body)
				}
			}
			w.want(w.about("GET", path, token, ""), 401, "invalid_token")
			token = next
			w.want(w.about("GET", path, token, ""), 200, "")
		})
		w.sub("removed, with what was given", func(w *world) {
			code := w.code("client_id", id, "redirect_uri", "https://new.example/cb", "scope", "points:read")
			form := redeem(code)
			form.Set("redirect_uri", "https://new.example/cb")
			h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic(id, secret)}
			r := w.do("POST", "/oauth2/token", form.Encode(), h)
			w.want(r, 200, "")
			if r := w.about("DELETE", path, token, ""); r.status != 204 || r.body != "" {
				w.Fatalf("%d %s", r.status, r.body)
			}
			if found, err := w.provider.Lookup(context.Background(), r.field("access_token")); err == nil && found.Status == oauth2.Valid {
				w.Error("its token lives")
			}
			w.want(w.about("DELETE", path, token, ""), 401, "invalid_token")
			w.want(w.do("POST", "/oauth2/token", "grant_type=client_credentials", h), 401, "invalid_client")
		})
	})
}

func TestDisabledClientsDontManageThemselves(t *testing.T) {
	each(t, func(w *world) {
		w.registration("open")
		id, token, _ := w.registered(webMetadata)
		w.exec(`UPDATE clients SET disabled_at = 1 WHERE id = '` + id + `'`)
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			w.want(w.about(method, "/oauth2/register/"+id, token, ""), 401, "invalid_token")
		}
		w.pass(time.Hour)
	})
}

func TestMetadataNamesRegistrationWhereItIsOn(t *testing.T) {
	each(t, func(w *world) {
		for mode, want := range map[string]string{"off": "", "token": issuer + "/oauth2/register", "open": issuer + "/oauth2/register"} {
			w.registration(mode)
			if got := w.do("GET", "/.well-known/oauth-authorization-server", "", nil).field("registration_endpoint"); got != want {
				w.Errorf("%s: %q", mode, got)
			}
		}
	})
}
