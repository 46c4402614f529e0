package admin_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

const someKeys = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

// TestClientFields: what is set is kept and shown, what is cleared goes back to
// its default, and what is not named stays.
func TestClientFields(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		bare := w.ok(201, "admin", "POST", "/clients", `{"id":"app","name":"App","grant_types":["authorization_code","urn:ietf:params:oauth:grant-type:device_code"],"redirect_uris":["https://app.example/cb"]}`).object(t)
		set := map[string]any{
			"homepage": "https://app.example/", "token_endpoint_auth_method": "private_key_jwt", "require_pushed_authorization_requests": true,
			"dpop_bound_access_tokens": true, "access_token_format": "jwt", "signing_alg": "EdDSA", "refresh_idle": 3600.0, "refresh_max": 7200.0,
			"resources": []any{"https://x.example/api"}, "post_logout_redirect_uris": []any{"https://app.example/bye"}, "backchannel_logout_uri": "https://app.example/out",
		}
		if err := json.Unmarshal([]byte(`{"jwks":`+someKeys+`}`), &set); err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		changed := w.ok(200, "admin", "PATCH", "/clients/app", string(body)).object(t)
		for name, want := range set {
			if d := cmp.Diff(want, changed[name]); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		equal(t, "what is kept", w.ok(200, "admin", "GET", "/clients/app", "").object(t), changed)
		same := w.ok(200, "admin", "PATCH", "/clients/app", `{"name":"App"}`).object(t)
		equal(t, "what was not named", same, changed)

		other := w.ok(200, "admin", "PATCH", "/clients/app", `{"dpop_bound_access_tokens":false,"tls_client_certificate_bound_access_tokens":true}`).object(t)
		equal(t, "bound to a certificate", []any{other["dpop_bound_access_tokens"], other["tls_client_certificate_bound_access_tokens"]}, []any{false, true})

		cleared := w.ok(200, "admin", "PATCH", "/clients/app", `{"homepage":null,"token_endpoint_auth_method":null,"jwks":null,"require_pushed_authorization_requests":false,
			"tls_client_certificate_bound_access_tokens":false,"access_token_format":"opaque","signing_alg":null,"refresh_idle":null,"refresh_max":null,"resources":[],
			"post_logout_redirect_uris":null,"backchannel_logout_uri":null}`).object(t)
		delete(bare, "client_secret")
		equal(t, "what is cleared", cleared, bare)
	})
}

// TestASecretEndsWithItsMethod: a client that proves itself by a key has no
// secret, is given none, and its old one does not come back with the method.
func TestASecretEndsWithItsMethod(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		keyed := w.ok(201, "admin", "POST", "/clients", `{"name":"K","grant_types":["client_credentials"],"token_endpoint_auth_method":"private_key_jwt","jwks":`+someKeys+`}`)
		if _, there := keyed.object(t)["client_secret"]; there {
			t.Error("a client with a key got a secret")
		}
		equal(t, "rotation", w.as("admin", "POST", "/clients/"+keyed.text(t, "id")+"/secrets", "").status, 409)

		w.ok(201, "admin", "POST", "/clients", serviceClient)
		w.ok(200, "admin", "PATCH", "/clients/service", `{"token_endpoint_auth_method":"private_key_jwt","jwks":`+someKeys+`}`)
		kept, err := store.ClientSecrets(context.Background(), db, "demo", "service")
		if err != nil || len(kept) != 1 || kept[0].ExpiresAt.IsZero() {
			t.Errorf("%+v, %v", kept, err)
		}
	})
}

// TestMethodsThatTheServerHasNot can't be registered; a client that has one
// already can still be changed.
func TestMethodsThatTheServerHasNot(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.ok(201, "admin", "POST", "/clients", `{"id":"old","name":"O","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject":"dns:old.example"}`)
	w.admin.AuthMethods = func() []string { return []string{"client_secret_basic", "private_key_jwt"} }
	w.ok(422, "admin", "POST", "/clients", `{"name":"N","token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject":"dns:new.example"}`)
	w.ok(200, "admin", "PATCH", "/clients/old", `{"disabled":true}`)
	w.ok(200, "admin", "PATCH", "/clients/old", `{"token_endpoint_auth_method":"client_secret_basic","tls_client_auth_subject":null}`)
	w.ok(422, "admin", "PATCH", "/clients/old", `{"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject":"dns:old.example"}`)
}

func TestAPublicClientHasNoMethod(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for _, method := range []string{``, `,"token_endpoint_auth_method":"none"`} {
		made := w.ok(201, "admin", "POST", "/clients", `{"name":"S","public":true,"grant_types":["authorization_code"],"redirect_uris":["https://x.example/cb"]`+method+`}`).object(t)
		equal(t, "method", made["token_endpoint_auth_method"], any("none"))
	}
}
