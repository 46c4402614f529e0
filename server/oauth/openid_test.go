package oauth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	xoauth2 "golang.org/x/oauth2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

// atIssuer sends what is for the issuer of a tenant to the test's listener.
type atIssuer struct{ w *world }

func (a atIssuer) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(a.w.base)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("X-Tenant", strings.TrimSuffix(r.URL.Hostname(), ".localhost"))
	r.URL.Host = base.Host
	return http.DefaultTransport.RoundTrip(r)
}

// openid gives a client the scopes of OpenID Connect, and an algorithm.
func openid(alg, format string) func(c *store.Client) {
	return func(c *store.Client) {
		c.Scopes = append(c.Scopes, "openid", "email", "profile")
		c.SigningAlg, c.TokenFormat = alg, format
	}
}

const everything = "openid email profile points:read offline_access"

// TestAnotherImplementationOfOpenIDConnect logs in with coreos/go-oidc: discovery,
// keys, ID token, access token hash, userinfo.
func TestAnotherImplementationOfOpenIDConnect(t *testing.T) {
	each(t, func(w *world) {
		ctx := oidc.ClientContext(context.Background(), &http.Client{Transport: atIssuer{w}})
		provider, err := oidc.NewProvider(ctx, issuer)
		if err != nil {
			w.Fatal(err)
		}
		for _, alg := range oauth2.SigningAlgs {
			w.sub(alg, func(w *world) {
				id := "app-" + strings.ToLower(alg)
				w.client(id, id+"-secret", openid(alg, "jwt"))
				c := xoauth2.Config{
					ClientID: id, ClientSecret: id + "-secret", RedirectURL: callback, Scopes: strings.Fields(everything), Endpoint: provider.Endpoint(),
				}
				v := xoauth2.GenerateVerifier()
				at, err := url.Parse(c.AuthCodeURL("state", xoauth2.S256ChallengeOption(v), oidc.Nonce("n-0S6_WzA2Mj")))
				if err != nil {
					w.Fatal(err)
				}
				f := w.flow(at.Query())
				to, err := w.approve(f, f.Scopes)
				if err != nil {
					w.Fatal(err)
				}
				tokens, err := c.Exchange(ctx, sentTo(to).location("code"), xoauth2.VerifierOption(v))
				if err != nil {
					w.Fatal(err)
				}
				verify := provider.Verifier(&oidc.Config{ClientID: id, SupportedSigningAlgs: []string{alg}, Now: w.now})
				first := w.identified(ctx, verify, tokens)
				if first.Nonce != "n-0S6_WzA2Mj" || first.Subject != "cus_alice" || !first.Expiry.Equal(w.now().Add(oauth2.IDLifetime)) {
					w.Errorf("%+v", first)
				}
				info, err := provider.UserInfo(ctx, xoauth2.StaticTokenSource(tokens))
				if err != nil || info.Subject != first.Subject || info.Email == "" || info.EmailVerified {
					w.Errorf("%+v %v", info, err)
				}
				tokens, err = c.TokenSource(ctx, &xoauth2.Token{RefreshToken: tokens.RefreshToken}).Token()
				if err != nil {
					w.Fatal(err)
				}
				if again := w.identified(ctx, verify, tokens); again.Nonce != "" || again.Subject != first.Subject {
					w.Errorf("on refresh: %+v", again)
				}
			})
		}
	})
}

// identified is the ID token in an answer, verified.
func (w *world) identified(ctx context.Context, v *oidc.IDTokenVerifier, t *xoauth2.Token) *oidc.IDToken {
	w.Helper()
	raw, _ := t.Extra("id_token").(string)
	id, err := v.Verify(ctx, raw)
	if err != nil {
		w.Fatal(err)
	}
	if err := id.VerifyAccessToken(t.AccessToken); err != nil {
		w.Error(err)
	}
	return id
}

// claims are those of a JWT, unverified.
func claims(t *testing.T, token string) (head, body map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	for i, to := range []*map[string]any{&head, &body} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(raw, to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return head, body
}

// jwts are an access token and an ID token of a client that wants JWTs.
func (w *world) jwts(client, scope string) (access, refresh, id string) {
	w.Helper()
	r := w.post("/oauth2/token", client, redeem(w.code("client_id", client, "scope", scope, "nonce", "n")))
	if r.status != 200 {
		w.Fatalf("no tokens: %d %s", r.status, r.body)
	}
	return r.field("access_token"), r.field("refresh_token"), r.field("id_token")
}

func TestClaimsOfJWTs(t *testing.T) {
	each(t, func(w *world) {
		w.client("jwt-web", "jwt-web-secret", openid("", "jwt"))
		access, _, id := w.jwts("jwt-web", everything)
		head, body := claims(w.T, access)
		if head["typ"] != "at+jwt" || head["alg"] != "ES256" || len(head) != 3 {
			w.Errorf("%v", head)
		}
		now := float64(w.now().Unix())
		kid, jti := head["kid"], body["jti"]
		delete(body, "jti")
		want := map[string]any{
			"iss": issuer, "sub": "cus_alice", "aud": issuer + "/api", "client_id": "jwt-web", "scope": everything, "iat": now,
			"exp": now + oauth2.AccessLifetime.Seconds(), "auth_time": now, "acr": oauth2.SingleFactor, "amr": []any{"pwd"},
		}
		if diff := cmp.Diff(want, body); diff != "" || jti == "" {
			w.Error(diff)
		}
		head, body = claims(w.T, id)
		if head["typ"] != "JWT" || head["kid"] != kid {
			w.Errorf("%v", head)
		}
		delete(body, "at_hash")
		want = map[string]any{
			"iss": issuer, "sub": "cus_alice", "aud": "jwt-web", "iat": now, "exp": now + oauth2.IDLifetime.Seconds(), "nonce": "n",
			"auth_time": now, "acr": oauth2.SingleFactor, "amr": []any{"pwd"}, "sid": "ses_1",
		}
		if diff := cmp.Diff(want, body); diff != "" {
			w.Error(diff)
		}
	})
}

// TestIDTokensAreForThoseWhoMayKnow: not without openid, and not for a client
// that acts for itself. Alone it is reason enough for a grant.
func TestIDTokensAreForThoseWhoMayKnow(t *testing.T) {
	each(t, func(w *world) {
		w.client("opaque-web", "opaque-web-secret", openid("", ""))
		for scope, want := range map[string]bool{"points:read": false, "openid": true, "openid offline_access": true, "email": false} {
			access, _, id := w.jwts("opaque-web", scope)
			if (id != "") != want || !strings.HasPrefix(access, "pga_") {
				w.Errorf("%s: access %q, ID %q", scope, access, id)
			}
		}
		code := w.code("client_id", "opaque-web", "scope", everything)
		w.exec(`UPDATE clients SET scopes = 'points:read offline_access' WHERE id = 'opaque-web'`)
		if r := w.post("/oauth2/token", "opaque-web", redeem(code)); r.status != 400 || r.error() != "unauthorized_client" {
			w.Errorf("a client that may not know any more: %d %s", r.status, r.body)
		}
		w.client("jwt-service", "jwt-service-secret", func(c *store.Client) {
			c.RedirectURIs, c.GrantTypes, c.Scopes, c.TokenFormat = nil, store.Words{"client_credentials"}, store.Words{"points:read", "openid"}, "jwt"
		})
		r := w.post("/oauth2/token", "jwt-service", url.Values{"grant_type": {"client_credentials"}})
		_, body := claims(w.T, r.field("access_token"))
		if r.field("id_token") != "" || body["sub"] != "jwt-service" || body["auth_time"] != nil || body["amr"] != nil || body["scope"] != "points:read" {
			w.Errorf("%s: %v", r.body, body)
		}
		if r := w.authorize(asks("client_id", "opaque-web", "nonce", strings.Repeat("n", 513))); r.location("error") != "invalid_request" {
			w.Errorf("a long nonce: %d %s", r.status, r.header.Get("Location"))
		}
	})
}

// TestJWTsThatAreNone: what is wrong with a JWT shows before the database is
// asked, and every such token is junk.
func TestJWTsThatAreNone(t *testing.T) {
	each(t, func(w *world) {
		w.client("jwt-web", "jwt-web-secret", openid("", "jwt"))
		w.client("rsa-web", "rsa-web-secret", openid("RS256", "jwt"))
		access, refresh, id := w.jwts("jwt-web", everything)
		rsa, _, _ := w.jwts("rsa-web", everything)
		if w.status(access) != oauth2.Valid || w.status(rsa) != oauth2.Valid {
			w.Fatal("a good token is none")
		}
		part := strings.Split(access, ".")
		segment := func(change func(m map[string]any), raw string) string {
			m := map[string]any{}
			plain, err := base64.RawURLEncoding.DecodeString(raw)
			if err == nil {
				err = json.Unmarshal(plain, &m)
			}
			if err != nil {
				w.Fatal(err)
			}
			change(m)
			plain, _ = json.Marshal(m)
			return base64.RawURLEncoding.EncodeToString(plain)
		}
		head := func(name string, value any) string {
			return segment(func(m map[string]any) { m[name] = value }, part[0]) + "." + part[1] + "." + part[2]
		}
		body := func(name string, value any) string {
			return part[0] + "." + segment(func(m map[string]any) { m[name] = value }, part[1]) + "." + part[2]
		}
		for name, token := range map[string]string{
			"an ID token":              id,
			"a refresh token":          refresh,
			"alg none":                 head("alg", "none"),
			"alg none, unsigned":       strings.TrimSuffix(head("alg", "none"), part[2]),
			"alg HS256":                head("alg", "HS256"),
			"the other algorithm":      head("alg", "RS256"),
			"the type of an ID token":  head("typ", "JWT"),
			"no type":                  head("typ", nil),
			"another kid":              head("kid", "sgk_"+strings.Repeat("a", 26)),
			"a kid that is a path":     head("kid", "../../../../dev/null"),
			"a kid that is a query":    head("kid", "' OR 1=1 --"),
			"a key of its own":         head("jwk", map[string]any{"kty": "oct", "k": "AA"}),
			"an address for its key":   head("jku", "http://127.0.0.1:1/keys"),
			"another person":           body("sub", "cus_bob"),
			"a later end":              body("exp", w.now().Add(time.Hour).Unix()),
			"the head of another":      strings.Split(rsa, ".")[0] + "." + part[1] + "." + part[2],
			"the signature of another": part[0] + "." + part[1] + "." + strings.Split(rsa, ".")[2],
			"a fourth part":            access + ".e30",
			"a line break":             part[0] + "." + part[1] + "." + part[2][:9] + "\n" + part[2][9:],
			"a JWT of somebody else":   "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mBp05c",
			"only its id":              "pga_" + strings.Repeat("A", 43) + "." + claimOf(w, access, "jti"),
		} {
			if got := w.status(token); got != "invalid" {
				w.Errorf("%s is %s", name, got)
			}
		}
	})
}

func claimOf(w *world, token, name string) string {
	_, body := claims(w.T, token)
	s, _ := body[name].(string)
	return s
}

// TestJWTsDieLikeOpaqueTokens: by their own revocation, that of their grant, their
// end, and that of their key.
func TestJWTsDieLikeOpaqueTokens(t *testing.T) {
	each(t, func(w *world) {
		w.client("jwt-web", "jwt-web-secret", openid("", "jwt"))
		ask := func(client, token string) reply {
			return w.post("/oauth2/introspect", client, url.Values{"token": {token}})
		}
		access, refresh, _ := w.jwts("jwt-web", everything)
		for _, client := range []string{"jwt-web", "demo-gateway"} {
			if r := ask(client, access); !strings.Contains(r.body, `"active":true`) || r.field("sub") != "cus_alice" || r.field("iss") != issuer {
				w.Errorf("%s: %d %s", client, r.status, r.body)
			}
		}
		if r := ask("demo-web", access); r.body != `{"active":false}` {
			w.Errorf("another client learns %s", r.body)
		}
		w.want(w.post("/oauth2/revoke", "demo-web", url.Values{"token": {access}}), 400, "unauthorized_client")
		w.want(w.post("/oauth2/revoke", "jwt-web", url.Values{"token": {access}}), 200, "")
		if w.status(access) != oauth2.Revoked || ask("jwt-web", access).body != `{"active":false}` {
			w.Error("a revoked token is good")
		}
		second := w.post("/oauth2/token", "jwt-web", again(refresh)).field("access_token")
		if w.status(second) != oauth2.Valid {
			w.Error("the next is not")
		}
		w.want(w.post("/oauth2/token", "jwt-web", again(refresh)), 200, "") // the same answer, within the grace
		w.pass(oauth2.AccessLifetime)
		if w.status(second) != oauth2.Expired {
			w.Error("an expired token is good")
		}
		w.pass(25 * time.Hour)
		if w.status(second) != "invalid" {
			w.Error("a token of yesterday is looked up")
		}
		third, _, _ := w.jwts("jwt-web", everything)
		head, _ := claims(w.T, third)
		kid, _ := head["kid"].(string)
		if err := w.db.Write(w.Context(), func(tx *store.Tx) error { return tx.RevokeSigningKey(w.Context(), "demo", kid) }); err != nil {
			w.Fatal(err)
		}
		if err := w.provider.LoadKeys(w.Context()); err != nil {
			w.Fatal(err)
		}
		if w.status(third) != "invalid" || strings.Contains(w.do("GET", "/oauth2/jwks", "", nil).body, kid) {
			w.Error("what a revoked key has signed is good")
		}
		if fourth, _, _ := w.jwts("jwt-web", everything); w.status(fourth) != oauth2.Valid {
			w.Error("nothing is signed after that")
		}
	})
}

// TestJWTsStayWithTheirTenant: the row names it, and so does the key.
func TestJWTsStayWithTheirTenant(t *testing.T) {
	each(t, func(w *world) {
		w.client("jwt-web", "jwt-web-secret", openid("", "jwt"))
		access, _, _ := w.jwts("jwt-web", everything)
		token, err := w.provider.Lookup(context.Background(), access)
		if err != nil || token.Tenant != "demo" {
			w.Fatalf("%+v %v", token, err)
		}
		r := w.do("GET", "/oauth2/userinfo", "", map[string]string{"Authorization": "Bearer " + access, "X-Tenant": "other"})
		if r.status != 403 || r.field("code") != "wrong_tenant" {
			w.Errorf("elsewhere: %d %s", r.status, r.body)
		}
		if r := w.do("GET", "/oauth2/jwks", "", map[string]string{"X-Tenant": "other"}); strings.Contains(r.body, "sgk_") {
			w.Errorf("the other tenant has keys: %s", r.body)
		}
		// A tenant that moves has another issuer: nobody believes what it said before.
		w.exec(`UPDATE tenants SET issuer = 'http://moved.localhost' WHERE id = 'demo'`)
		if err := w.provider.LoadKeys(context.Background()); err != nil || w.status(access) != "invalid" {
			w.Errorf("the token of the issuer before is %s: %v", w.status(access), err)
		}
	})
}

func TestUserInfo(t *testing.T) {
	each(t, func(w *world) {
		w.client("opaque-web", "opaque-web-secret", openid("", ""))
		for name, tc := range map[string]struct {
			scope string
			want  map[string]any
			code  string
		}{
			"openid alone":   {"openid", map[string]any{"sub": "cus_alice"}, ""},
			"with profile":   {"openid profile", map[string]any{"sub": "cus_alice", "name": "cus_alice"}, ""},
			"with email":     {"openid email", map[string]any{"sub": "cus_alice", "email": "cus_alice@demo.example", "email_verified": false}, ""},
			"without openid": {"email profile", nil, "missing_scope"},
		} {
			access, _, _ := w.jwts("opaque-web", tc.scope)
			for _, method := range []string{"GET", "POST"} {
				r := w.do(method, "/oauth2/userinfo", "", map[string]string{"Authorization": "Bearer " + access})
				var got map[string]any
				if err := json.Unmarshal([]byte(r.body), &got); err != nil {
					w.Fatal(err)
				}
				if tc.code != "" {
					if challenge := r.header.Get("WWW-Authenticate"); r.status != 403 || got["code"] != tc.code || !strings.Contains(challenge, `error="insufficient_scope", scope="openid"`) {
						w.Errorf("%s: %d %s %s", name, r.status, r.body, challenge)
					}
					continue
				}
				if diff := cmp.Diff(tc.want, got); diff != "" || r.header.Get("Cache-Control") != "no-store" {
					w.Errorf("%s by %s: %s", name, method, diff)
				}
			}
		}
		for name, header := range map[string]string{"junk": "Bearer pga_junk", "nothing": ""} {
			r := w.do("GET", "/oauth2/userinfo", "", map[string]string{"Authorization": header})
			if challenge := r.header.Get("WWW-Authenticate"); r.status != 401 || !strings.HasPrefix(challenge, "Bearer ") {
				w.Errorf("%s: %d %s", name, r.status, challenge)
			}
		}
		access, _, _ := w.jwts("opaque-web", "openid")
		r := w.do("POST", "/oauth2/userinfo", "access_token="+access, map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
		if r.status != 400 {
			w.Errorf("a token in the body: %d %s", r.status, r.body)
		}
	})
}
