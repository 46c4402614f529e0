package admin_test

import (
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestBadInput: what is wrong is named, and nothing is made of it.
func TestBadInput(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		storetest.User(t, db, "demo", "cus_a")
		storetest.User(t, db, "demo", "stf_off", "viewer")
		w.ok(201, "admin", "POST", "/clients", webClient)
		w.ok(201, "admin", "POST", "/clients", serviceClient)
		key := w.ok(201, "admin", "POST", "/keys", `{"client_id":"service","name":"k","scopes":["points:read"]}`).text(t, "id")
		client := func(members string) string {
			return `{"name":"X","grant_types":["authorization_code"],"redirect_uris":["https://x.example/cb"],` + members + `}`
		}
		redirect := func(uri string) string {
			return `{"name":"X","grant_types":["authorization_code"],"redirect_uris":["` + uri + `"]}`
		}
		for name, tc := range map[string]struct {
			method, path, body string
			status             int
			field              string // "" for a 400
		}{
			"no JSON":                 {"POST", "/clients", `{`, 400, ""},
			"no object":               {"POST", "/clients", `[]`, 400, ""},
			"no body":                 {"POST", "/customers", ``, 400, ""},
			"a member twice":          {"POST", "/customers", `{"name":"A","name":"B"}`, 400, ""},
			"invalid UTF-8":           {"POST", "/customers", "{\"name\":\"\xff\"}", 400, ""},
			"unknown member":          {"POST", "/customers", `{"email":"x@demo.example","name":"X","roles":["super_admin"]}`, 422, "roles"},
			"parameter of no list":    {"GET", "/customers/cus_a?x=1", ``, 422, "x"},
			"unknown filter":          {"GET", "/customers?q=1", ``, 422, "q"},
			"limit 0":                 {"GET", "/customers?limit=0", ``, 422, "limit"},
			"limit 201":               {"GET", "/customers?limit=201", ``, 422, "limit"},
			"limit of words":          {"GET", "/customers?limit=ten", ``, 422, "limit"},
			"parameter twice":         {"GET", "/customers?limit=1&limit=2", ``, 400, ""},
			"forged cursor":           {"GET", "/customers?cursor=AAAA", ``, 400, ""},
			"tenant: its own id":      {"POST", "/tenants", `{"name":"T","issuer":"https://t.example"}`, 422, "id"},
			"tenant: form of the id":  {"POST", "/tenants", `{"id":"T T","name":"T","issuer":"https://t.example"}`, 422, "id"},
			"tenant: home":            {"POST", "/tenants", `{"id":"tt","name":"T","issuer":"https://t.example","home":true}`, 422, "home"},
			"tenant: http issuer":     {"POST", "/tenants", `{"id":"tt","name":"T","issuer":"http://t.example"}`, 422, "issuer"},
			"tenant: issuer's path":   {"POST", "/tenants", `{"id":"tt","name":"T","issuer":"https://t.example/x"}`, 422, "issuer"},
			"tenant: issuer's slash":  {"POST", "/tenants", `{"id":"tt","name":"T","issuer":"https://t.example/"}`, 422, "issuer"},
			"tenant: issuer's user":   {"POST", "/tenants", `{"id":"tt","name":"T","issuer":"https://a@t.example"}`, 422, "issuer"},
			"tenant: issuer's case":   {"POST", "/tenants", `{"id":"tt","name":"T","issuer":"https://T.example"}`, 422, "issuer"},
			"tenant: host with port":  {"POST", "/tenants", `{"id":"tt","name":"T","issuer":"https://t.example","hostnames":["t.example","t.example:80"]}`, 422, "hostnames"},
			"tenant: foreign issuer":  {"POST", "/tenants", `{"id":"tt","name":"T","issuer":"https://t.example","hostnames":["u.example"]}`, 422, "hostnames"},
			"tenant: registration":    {"PATCH", "/tenants/demo", `{"registration":"maybe"}`, 422, "registration"},
			"tenant: app scheme":      {"PATCH", "/tenants/demo", `{"app_schemes":["javascript"]}`, 422, "app_schemes"},
			"tenant: documents":       {"PATCH", "/tenants/demo", `{"client_documents":null}`, 422, "client_documents"},
			"registration: name":      {"POST", "/registration-tokens", `{}`, 422, "name"},
			"registration: uses":      {"POST", "/registration-tokens", `{"name":"x","max_uses":0}`, 422, "max_uses"},
			"registration: past":      {"POST", "/registration-tokens", `{"name":"x","expires_at":"2001-01-01T00:00:00Z"}`, 422, "expires_at"},
			"tenant: name null":       {"PATCH", "/tenants/demo", `{"name":null}`, 422, "name"},
			"client: no name":         {"POST", "/clients", `{"grant_types":["client_credentials"]}`, 422, "name"},
			"client: name of lines":   {"POST", "/clients", client(`"id":"xxx","origins":[],"scopes":["a\nb"]`), 422, "scopes"},
			"client: long name":       {"POST", "/clients", `{"name":"` + strings.Repeat("x", 101) + `","grant_types":["client_credentials"]}`, 422, "name"},
			"client: a person's id":   {"POST", "/clients", client(`"id":"cus_x"`), 422, "id"},
			"client: unknown grant":   {"POST", "/clients", `{"name":"X","grant_types":["password"]}`, 422, "grant_types"},
			"client: grants null":     {"PATCH", "/clients/web", `{"grant_types":null}`, 422, "grant_types"},
			"client: unknown scope":   {"POST", "/clients", client(`"scopes":["points:steal"]`), 422, "scopes"},
			"client: public trusted":  {"POST", "/clients", client(`"public":true,"trusted":true`), 422, "trusted"},
			"client: trusted by code": {"POST", "/clients", client(`"trusted":true`), 422, "trusted"},
			"client: trusted later":   {"PATCH", "/clients/web", `{"trusted":true}`, 422, "trusted"},
			"client: public later":    {"PATCH", "/clients/web", `{"public":true}`, 422, "public"},
			"client: origin's path":   {"POST", "/clients", client(`"origins":["https://x.example/"]`), 422, "origins"},
			"client: any origin":      {"POST", "/clients", client(`"origins":["*"]`), 422, "origins"},
			"client: long grace":      {"POST", "/clients", client(`"refresh_grace":301`), 422, "refresh_grace"},
			"client: off at birth":    {"POST", "/clients", client(`"disabled":true`), 422, "disabled"},
			"client: unknown method":  {"POST", "/clients", client(`"token_endpoint_auth_method":"client_secret_jwt"`), 422, "token_endpoint_auth_method"},
			"client: not public":      {"POST", "/clients", client(`"token_endpoint_auth_method":"none"`), 422, "token_endpoint_auth_method"},
			"client: no keys":         {"POST", "/clients", client(`"token_endpoint_auth_method":"private_key_jwt"`), 422, "jwks"},
			"client: keys as text":    {"POST", "/clients", client(`"jwks":"{}"`), 422, "jwks"},
			"client: private key":     {"POST", "/clients", client(`"jwks":{"keys":[{"kty":"oct","k":"AAAA"}]}`), 422, "jwks"},
			"client: many keys":       {"POST", "/clients", client(`"jwks":{"keys":["` + strings.Repeat("k", 33<<10) + `"]}`), 422, "jwks"},
			"client: keys over http":  {"PATCH", "/clients/web", `{"jwks_uri":"http://x.example/keys"}`, 422, "jwks_uri"},
			"client: any certificate": {"POST", "/clients", client(`"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject":"dns:*"`), 422, "tls_client_auth_subject"},
			"client: bound twice":     {"POST", "/clients", client(`"dpop_bound_access_tokens":true,"tls_client_certificate_bound_access_tokens":true`), 422, "dpop_bound_access_tokens"},
			"client: bound null":      {"PATCH", "/clients/web", `{"dpop_bound_access_tokens":null}`, 422, "dpop_bound_access_tokens"},
			"client: token format":    {"POST", "/clients", client(`"access_token_format":"saml"`), 422, "access_token_format"},
			"client: signed by none":  {"POST", "/clients", client(`"signing_alg":"none"`), 422, "signing_alg"},
			"client: short life":      {"POST", "/clients", client(`"refresh_idle":59`), 422, "refresh_idle"},
			"client: long life":       {"POST", "/clients", client(`"refresh_max":31536001`), 422, "refresh_max"},
			"client: resource":        {"POST", "/clients", client(`"resources":["x"]`), 422, "resources"},
			"client: logout":          {"POST", "/clients", client(`"post_logout_redirect_uris":["http://x.example/"]`), 422, "post_logout_redirect_uris"},
			"client: told of logouts": {"POST", "/clients", client(`"backchannel_logout_uri":"x:/bye"`), 422, "backchannel_logout_uri"},
			"client: homepage":        {"POST", "/clients", client(`"homepage":"javascript:alert(1)"`), 422, "homepage"},
			"client: whose it is":     {"POST", "/clients", client(`"owner":"cus_a"`), 422, "owner"},
			"client: who registered":  {"PATCH", "/clients/web", `{"registered_by":"dynamic"}`, 422, "registered_by"},
			"client: wide space":      {"POST", "/clients", redirect("https://x.example/\u3000https://evil.example/"), 422, "redirect_uris"},
			"redirect: http":          {"POST", "/clients", redirect("http://x.example/cb"), 422, "redirect_uris"},
			"redirect: fragment":      {"POST", "/clients", redirect("https://x.example/cb#"), 422, "redirect_uris"},
			"redirect: wildcard":      {"POST", "/clients", redirect("https://*.example/cb"), 422, "redirect_uris"},
			"redirect: user":          {"POST", "/clients", redirect("https://a@x.example/cb"), 422, "redirect_uris"},
			"redirect: script":        {"POST", "/clients", redirect("javascript:alert(1)"), 422, "redirect_uris"},
			"redirect: data":          {"POST", "/clients", redirect("data:text/html,x"), 422, "redirect_uris"},
			"redirect: no dot":        {"POST", "/clients", redirect("myapp:/cb"), 422, "redirect_uris"},
			"redirect: relative":      {"POST", "/clients", redirect("/cb"), 422, "redirect_uris"},
			"overlap of 8 days":       {"POST", "/clients/web/secrets", `{"overlap_s":604801}`, 422, "overlap_s"},
			"overlap before now":      {"POST", "/clients/web/secrets", `{"overlap_s":-1}`, 422, "overlap_s"},
			"customer: address":       {"POST", "/customers", `{"email":"x","name":"X"}`, 422, "email"},
			"customer: named address": {"POST", "/customers", `{"email":"X <x@demo.example>","name":"X"}`, 422, "email"},
			"customer: long address":  {"POST", "/customers", `{"email":"` + strings.Repeat("x", 250) + `@demo.example","name":"X"}`, 422, "email"},
			"customer: NUL":           {"POST", "/customers", `{"email":"x@demo.example","name":"X\u0000"}`, 422, "name"},
			"customer: two lines":     {"POST", "/customers", `{"email":"x@demo.example","name":"X\nY"}`, 422, "name"},
			"customer: id":            {"POST", "/customers", `{"id":"a.b","email":"x@demo.example","name":"X"}`, 422, "id"},
			"customer: password":      {"POST", "/customers", `{"email":"x@demo.example","name":"X","password":"elevenchars"}`, 422, "password"},
			"customer: few letters":   {"POST", "/customers", `{"email":"x@demo.example","name":"X","password":"пароль🔑🔑"}`, 422, "password"},
			"customer: long password": {"POST", "/customers", `{"email":"x@demo.example","name":"X","password":"` + strings.Repeat("é", 513) + `"}`, 422, "password"},
			"staff: few letters":      {"POST", "/staff", `{"email":"x@demo.example","name":"X","roles":["viewer"],"password":"🔑🔑🔑🔑"}`, 422, "password"},
			"customer: long name":     {"POST", "/customers", `{"email":"x@demo.example","name":"` + strings.Repeat("é", 101) + `"}`, 422, "name"},
			"customer: number":        {"POST", "/customers", `{"email":7,"name":"X"}`, 422, "email"},
			"customer: email null":    {"PATCH", "/customers/cus_a", `{"email":null}`, 422, "email"},
			"customer: another id":    {"PATCH", "/customers/cus_a", `{"id":"cus_b"}`, 422, "id"},
			"staff: no roles":         {"POST", "/staff", `{"email":"x@demo.example","name":"X","roles":[]}`, 422, "roles"},
			"staff: unknown role":     {"POST", "/staff", `{"email":"x@demo.example","name":"X","roles":["god"]}`, 422, "roles"},
			"staff: roles null":       {"PATCH", "/staff/stf_off", `{"roles":null}`, 422, "roles"},
			"staff: disabled null":    {"PATCH", "/staff/stf_off", `{"disabled":null}`, 422, "disabled"},
			"key: unknown client":     {"POST", "/keys", `{"client_id":"nope","name":"k","scopes":["points:read"]}`, 422, "client_id"},
			"key: more than client":   {"POST", "/keys", `{"client_id":"service","name":"k","scopes":["points:write"]}`, 422, "scopes"},
			"key: no scopes":          {"POST", "/keys", `{"client_id":"service","name":"k","scopes":[]}`, 422, "scopes"},
			"key: a scope twice":      {"POST", "/keys", `{"client_id":"service","name":"k","scopes":["points:read","points:read"]}`, 422, "scopes"},
			"key: ended":              {"POST", "/keys", `{"client_id":"service","name":"k","scopes":["points:read"],"expires_at":"2001-01-01T00:00:00Z"}`, 422, "expires_at"},
			"key: no time":            {"POST", "/keys", `{"client_id":"service","name":"k","scopes":["points:read"],"expires_at":"tomorrow"}`, 422, "expires_at"},
			"key: widened later":      {"PATCH", "/keys/" + key, `{"scopes":["admin"]}`, 422, "scopes"},
			"key: another client":     {"PATCH", "/keys/" + key, `{"client_id":"web"}`, 422, "client_id"},
			"token: a customer's":     {"POST", "/tokens", `{"staff_id":"cus_a","name":"t","scopes":["points:read"]}`, 422, "staff_id"},
			"token: more than roles":  {"POST", "/tokens", `{"staff_id":"stf_off","name":"t","scopes":["admin"]}`, 422, "scopes"},
			"token: over 90 days":     {"POST", "/tokens", `{"staff_id":"stf_off","name":"t","scopes":["points:read"],"expires_at":"2999-01-01T00:00:00Z"}`, 422, "expires_at"},
			"token: for ever":         {"POST", "/tokens", `{"staff_id":"stf_off","name":"t","scopes":["points:read"],"expires_at":null}`, 422, "expires_at"},
			"grants: filter":          {"GET", "/grants?customer=%00", ``, 422, "customer"},
			"sessions: live":          {"GET", "/sessions?live=yes", ``, 422, "live"},
			"sessions: whose":         {"GET", "/sessions?user=%00", ``, 422, "user"},
			"sessions: of two":        {"GET", "/sessions?user=cus_a&customer=cus_b", ``, 422, "customer"},
			"revocations: nothing":    {"POST", "/revocations", `{}`, 422, "client"},
			"revocations: elsewhere":  {"POST", "/revocations", `{"tenant":"other"}`, 422, "tenant"},
			"revocations: no time":    {"POST", "/revocations", `{"issued_before":"now"}`, 422, "issued_before"},
			"decisions: no time":      {"GET", "/decisions?from=yesterday", ``, 422, "from"},
			"decisions: no truth":     {"GET", "/decisions?allow=1", ``, 422, "allow"},
			"decisions: prefix":       {"GET", "/decisions?q=%25", ``, 422, "q"},
			"decisions: NUL":          {"GET", "/decisions?subject=%00", ``, 422, "subject"},
			"decisions: index":        {"GET", "/decisions?after=-2", ``, 422, "after"},
		} {
			t.Run(name, func(t *testing.T) {
				w.t = t
				a := w.as("admin", tc.method, tc.path, tc.body)
				if a.status != tc.status {
					t.Fatalf("%d %s, want %d", a.status, a.body, tc.status)
				}
				if tc.field == "" {
					equal(t, "code", a.text(t, "code"), "invalid_request")
					return
				}
				equal(t, "code", a.text(t, "code"), "validation_failed")
				if got := a.fields(t); len(got) == 0 || !contains(got, tc.field) {
					t.Errorf("it complains of %q, want %q: %s", got, tc.field, a.body)
				}
			})
		}
		w.t = t
		equal(t, "clients after all that", w.ids("admin", "/clients"), []string{"service", "web"})
		equal(t, "customers after all that", w.ids("admin", "/customers"), []string{"cus_a"})
		equal(t, "staff after all that", w.ids("admin", "/staff"), []string{"stf_admin", "stf_off"})
	})
}

func contains(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}

// TestWhatMayNotActLearnsNothing: bad input and missing objects are told only
// to those who may.
func TestWhatMayNotActLearnsNothing(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for caller, want := range map[string]struct {
		status int
		code   string
	}{
		"nobody": {401, "missing_credentials"}, "revoked": {401, "revoked_credentials"},
		"thin": {403, "missing_scope"}, "manager": {403, "missing_role"},
	} {
		for _, r := range [][3]string{
			{"GET", "/tenants", ""}, {"POST", "/tenants", "{"}, {"GET", "/tenants/demo", ""}, {"PATCH", "/tenants/demo", "{"}, {"DELETE", "/tenants/demo", ""},
			{"GET", "/clients?limit=0", ""}, {"POST", "/clients", "{"}, {"GET", "/clients/nope", ""}, {"PATCH", "/clients/nope", "{"}, {"DELETE", "/clients/nope", ""},
			{"POST", "/clients/nope/secrets", "{"},
			{"GET", "/customers?x=1", ""}, {"POST", "/customers", "{"}, {"GET", "/customers/nope", ""}, {"PATCH", "/customers/nope", "{"}, {"DELETE", "/customers/nope", ""},
			{"GET", "/staff", ""}, {"POST", "/staff", "{"}, {"GET", "/staff/stf_admin", ""}, {"PATCH", "/staff/stf_admin", "{}"}, {"DELETE", "/staff/stf_admin", ""},
			{"GET", "/keys", ""}, {"POST", "/keys", "{"}, {"GET", "/keys/nope", ""}, {"PATCH", "/keys/nope", "{"}, {"DELETE", "/keys/nope", ""},
			{"GET", "/tokens", ""}, {"POST", "/tokens", "{"}, {"GET", "/tokens/nope", ""}, {"DELETE", "/tokens/nope", ""},
			{"GET", "/grants", ""}, {"GET", "/grants/nope", ""}, {"DELETE", "/grants/nope", ""},
			{"GET", "/sessions", ""}, {"GET", "/sessions/nope", ""}, {"DELETE", "/sessions/nope", ""},
			{"POST", "/revocations", "{"}, {"GET", "/decisions?limit=0", ""}, {"GET", "/decisions/nope", ""},
		} {
			a := w.as(caller, r[0], r[1], r[2])
			if a.status != want.status || a.text(t, "code") != want.code {
				t.Errorf("%s %s %s: %d %s, want %s", caller, r[0], r[1], a.status, a.body, want.code)
				continue
			}
			if rec := w.record(a, "demo"); rec.Allow || rec.Status != want.status {
				t.Errorf("%s %s %s: the record says %v, %d", caller, r[0], r[1], rec.Allow, rec.Status)
			}
		}
	}
}
