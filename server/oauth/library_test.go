package oauth_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	xoauth2 "golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/pointgate/pointgate/oauth2"
)

// TestAnotherImplementation drives the flows with golang.org/x/oauth2.
func TestAnotherImplementation(t *testing.T) {
	each(t, func(w *world) {
		ctx := context.WithValue(context.Background(), xoauth2.HTTPClient, &http.Client{Transport: w.browser.Transport})
		for client, secret := range map[string]string{"demo-web": "demo-web-secret", "demo-spa": ""} {
			w.sub(client, func(w *world) {
				c := xoauth2.Config{
					ClientID: client, ClientSecret: secret, RedirectURL: callback, Scopes: []string{"points:read", "offline_access"},
					Endpoint: xoauth2.Endpoint{AuthURL: w.base + "/oauth2/authorize", TokenURL: w.base + "/oauth2/token"},
				}
				v := xoauth2.GenerateVerifier()
				at := c.AuthCodeURL("state", xoauth2.S256ChallengeOption(v))
				r := w.do("GET", strings.TrimPrefix(at, w.base), "", map[string]string{"X-Person": "cus_alice"})
				f, err := w.provider.OpenFlow(r.location("flow"), "cus_alice", "ses_1")
				if err != nil {
					w.Fatal(err, r)
				}
				to, err := w.approve(f, f.Scopes)
				if err != nil {
					w.Fatal(err)
				}
				first, err := c.Exchange(ctx, sentTo(to).location("code"), xoauth2.VerifierOption(v))
				if err != nil || w.status(first.AccessToken) != oauth2.Valid || first.Type() != "Bearer" {
					w.Fatalf("%+v %v", first, err)
				}
				second, err := c.TokenSource(ctx, &xoauth2.Token{RefreshToken: first.RefreshToken}).Token()
				if err != nil || w.status(second.AccessToken) != oauth2.Valid || second.RefreshToken == first.RefreshToken {
					w.Errorf("%+v %v", second, err)
				}
			})
		}
		w.sub("demo-service", func(w *world) {
			c := clientcredentials.Config{ClientID: "demo-service", ClientSecret: "demo-service-secret", TokenURL: w.base + "/oauth2/token", Scopes: []string{"points:read"}}
			got, err := c.Token(ctx)
			if err != nil || w.status(got.AccessToken) != oauth2.Valid || got.RefreshToken != "" {
				w.Errorf("%+v %v", got, err)
			}
		})
	})
}

func TestMetadata(t *testing.T) {
	each(t, func(w *world) {
		get := func(path string) map[string]any {
			w.Helper()
			r := w.do("GET", path, "", map[string]string{"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
			if r.status != 200 || r.header.Get("Content-Type") != "application/json" || !strings.HasPrefix(r.header.Get("Cache-Control"), "public") {
				w.Fatalf("%s: %d %v", path, r.status, r.header)
			}
			var m map[string]any
			if err := json.Unmarshal([]byte(r.body), &m); err != nil {
				w.Fatal(err)
			}
			return m
		}
		list := func(words ...any) []any { return words }
		api := list("points:read", "points:write", "points:transfer", "points:adjust", "policy:read", "policy:write", "audit:read", "admin")
		algs := list("ES256", "RS256", "PS256", "EdDSA")
		server := map[string]any{
			"issuer":                                                   issuer,
			"authorization_endpoint":                                   issuer + "/oauth2/authorize",
			"token_endpoint":                                           issuer + "/oauth2/token",
			"introspection_endpoint":                                   issuer + "/oauth2/introspect",
			"revocation_endpoint":                                      issuer + "/oauth2/revoke",
			"device_authorization_endpoint":                            issuer + "/oauth2/device_authorization",
			"scopes_supported":                                         append(append([]any{}, api...), "openid", "email", "profile", "offline_access"),
			"response_types_supported":                                 list("code"),
			"response_modes_supported":                                 list("query"),
			"grant_types_supported":                                    list("authorization_code", "refresh_token", "client_credentials", oauth2.DeviceGrant, oauth2.ExchangeGrant),
			"token_endpoint_auth_methods_supported":                    list("client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none"),
			"introspection_endpoint_auth_methods_supported":            list("client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"),
			"token_endpoint_auth_signing_alg_values_supported":         algs,
			"introspection_endpoint_auth_signing_alg_values_supported": algs,
			"revocation_endpoint_auth_signing_alg_values_supported":    algs,
			"revocation_endpoint_auth_methods_supported":               list("client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none"),
			"code_challenge_methods_supported":                         list("S256"),
			"authorization_response_iss_parameter_supported":           true,
			"protected_resources":                                      list(issuer + "/api"),
			"end_session_endpoint":                                     issuer + "/oauth2/logout",
			"backchannel_logout_supported":                             true,
			"backchannel_logout_session_supported":                     true,
			"acr_values_supported":                                     list("urn:pointgate:acr:1fa"),
			"prompt_values_supported":                                  list("none", "login", "consent", "select_account"),
			"pushed_authorization_request_endpoint":                    issuer + "/oauth2/par",
			"require_pushed_authorization_requests":                    false,
			"dpop_signing_alg_values_supported":                        algs,
			"tls_client_certificate_bound_access_tokens":               true,
		}
		maps.Copy(server, map[string]any{ // OpenID Connect
			"userinfo_endpoint": issuer + "/oauth2/userinfo", "jwks_uri": issuer + "/oauth2/jwks",
			"subject_types_supported": list("public"), "id_token_signing_alg_values_supported": list("ES256", "RS256", "EdDSA"),
			"claims_supported": list("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid",
				"name", "email", "email_verified"),
			"claims_parameter_supported": false, "request_parameter_supported": false, "request_uri_parameter_supported": false,
		})
		for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
			if diff := cmp.Diff(server, get(path)); diff != "" {
				w.Error(path, diff)
			}
		}
		resource := map[string]any{
			"resource": issuer + "/api", "resource_name": "demo", "authorization_servers": list(issuer),
			"scopes_supported": api, "bearer_methods_supported": list("header"),
			"dpop_signing_alg_values_supported": list("ES256", "RS256", "PS256", "EdDSA"), "dpop_bound_access_tokens_required": false,
			"tls_client_certificate_bound_access_tokens": true,
		}
		for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/api"} {
			if diff := cmp.Diff(resource, get(path)); diff != "" {
				w.Error(path, diff)
			}
		}
	})
}
