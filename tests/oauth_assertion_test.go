package tests

import (
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/tests/harness"
)

// assertions: clients that prove who they are by a signed JWT (RFC 7523).
func (p *proof) assertions(t *testing.T) {
	key, others := jwttest.New(t, "ES256"), jwttest.New(t, "ES256")
	p.keyed(t, "asserting", key)
	p.keyed(t, "asserting-too", others)
	sign := func(by *jwttest.Key, header, changes map[string]any) string {
		h := map[string]any{"alg": "ES256", "kid": "of-asserting"}
		claims := map[string]any{"iss": "asserting", "sub": "asserting", "aud": p.URL, "jti": harness.NewKey(), "exp": time.Now().Add(time.Minute).Unix()}
		maps.Copy(h, header)
		maps.Copy(claims, changes)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		return by.Sign(t, h, claims)
	}
	good := sign(key, nil, nil)
	for name, assertion := range map[string]string{
		"T28 none":                      sign(key, map[string]any{"alg": "none"}, nil),
		"T28 none, unsigned":            jwttest.Encode([]byte(`{"alg":"none"}`)) + "." + strings.Split(good, ".")[1] + ".",
		"T28 HS256 by the public key":   sign(key, map[string]any{"alg": "HS256"}, nil),
		"T28 another audience":          sign(key, nil, map[string]any{"aud": "https://elsewhere.example"}),
		"T28 another tenant":            sign(key, nil, map[string]any{"aud": p.Other}),
		"T28 no audience":               sign(key, nil, map[string]any{"aud": nil}),
		"T28 past":                      sign(key, nil, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}),
		"T28 for too long":              sign(key, nil, map[string]any{"exp": time.Now().Add(24 * time.Hour).Unix()}),
		"T28 without an end":            sign(key, nil, map[string]any{"exp": nil}),
		"T28 iss and sub differ":        sign(key, nil, map[string]any{"iss": "asserting-too"}),
		"T28 no iss":                    sign(key, nil, map[string]any{"iss": nil}),
		"T28 no jti":                    sign(key, nil, map[string]any{"jti": nil}),
		"T28 unknown kid":               sign(key, map[string]any{"kid": "nobodys"}, nil),
		"T28 kid of another client":     sign(others, map[string]any{"kid": "of-asserting-too"}, nil),
		"T28 another client's key":      sign(others, nil, nil),
		"T28 no such client":            sign(key, nil, map[string]any{"iss": "nobody", "sub": "nobody"}),
		"T28 a client that has secrets": sign(key, nil, map[string]any{"iss": "demo-service", "sub": "demo-service"}),
		"T28 garbage":                   "garbage",
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, p.post(t, "/oauth2/token", "", asserts(assertion)), 401, "invalid_client")
		})
	}
	t.Run("T28 a jti twice", func(t *testing.T) {
		accepts(t, p.post(t, "/oauth2/token", "", asserts(good)))
		for _, s := range p.nodes() {
			refuses(t, must(s.Form(s.URL+"/oauth2/token", "", "", asserts(good)))(t), 401, "invalid_client")
		}
	})
	t.Run("T28 a jti twenty times at once", func(t *testing.T) {
		assertion, nodes := sign(key, nil, nil), p.nodes()
		counts := tally(atOnce(t, 20, func(i int) (*harness.Answer, error) {
			s := nodes[i%len(nodes)]
			return s.Form(s.URL+"/oauth2/token", "", "", asserts(assertion))
		}))
		if counts["200 "] != 1 || counts["401 invalid_client"] != 19 {
			t.Errorf("want one 200 and nineteen invalid_client, got %v", counts)
		}
	})
}

// asserts is a request for client credentials with an assertion.
func asserts(assertion string) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "scope": {"points:read"}, "client_assertion": {assertion},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
}

// keyed registers a client that proves itself by a key, whose kid is of-<client>.
func (p *proof) keyed(t *testing.T, id string, key *jwttest.Key) {
	t.Helper()
	jwk := key.JWK()
	jwk["kid"] = "of-" + id
	p.register(t, map[string]any{
		"id": id, "name": id, "grant_types": words("client_credentials"), "scopes": words("points:read"),
		"token_endpoint_auth_method": "private_key_jwt", "jwks": map[string]any{"keys": []any{jwk}},
	})
}
