package oauth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/store"
)

const byAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func asserted(assertion string, changes ...string) url.Values {
	return with(url.Values{"grant_type": {"client_credentials"}, "client_assertion": {assertion}, "client_assertion_type": {byAssertion}}, changes...)
}

// TestAssertionsThatAreTaken: RFC 7523 §3, by each algorithm, at each endpoint.
func TestAssertionsThatAreTaken(t *testing.T) {
	each(t, func(w *world) {
		for _, alg := range []string{"ES256", "RS256", "PS256", "EdDSA"} {
			k := jwttest.New(w, alg)
			w.keyed("by-"+strings.ToLower(alg), k)
			w.want(w.post("/oauth2/token", "", asserted(w.assertion(k, "by-"+strings.ToLower(alg), nil))), 200, "")
		}
		k := jwttest.New(w, "ES256")
		w.keyed("app", k, jwttest.New(w, "RS256"))
		head := map[string]any{"alg": "ES256", "kid": "k0"}
		for name, c := range map[string]struct {
			header, changes map[string]any
			form            []string
		}{
			"for the token endpoint":          {head, map[string]any{"aud": issuer + "/oauth2/token"}, nil},
			"for a list of one":               {head, map[string]any{"aud": []string{issuer}}, nil},
			"for two names of this server":    {head, map[string]any{"aud": []string{issuer, issuer + "/oauth2/token"}}, nil},
			"with the client_id":              {head, nil, []string{"client_id", "app"}},
			"with a type":                     {map[string]any{"alg": "ES256", "kid": "k0", "typ": "JWT"}, nil, nil},
			"with its own type":               {map[string]any{"alg": "ES256", "kid": "k0", "typ": "client-authentication+jwt"}, nil, nil},
			"without kid, where one key fits": {map[string]any{"alg": "ES256"}, nil, nil},
			"as long as may be":               {head, map[string]any{"exp": w.now().Add(5 * time.Minute).Unix()}, nil},
			"without iat":                     {head, map[string]any{"iat": nil}, nil},
			"from a clock a little ahead":     {head, map[string]any{"iat": w.now().Add(20 * time.Second).Unix(), "nbf": w.now().Add(20 * time.Second).Unix()}, nil},
			"of a fraction of a second":       {head, map[string]any{"exp": float64(w.now().Unix()) + 30.5}, nil},
			"with claims of its own":          {head, map[string]any{"scope": "admin", "x": map[string]any{"y": 1}}, nil},
		} {
			w.sub(name, func(w *world) {
				r := w.post("/oauth2/token", "", asserted(k.Sign(w, c.header, w.claims("app", c.changes)), c.form...))
				w.want(r, 200, "")
				w.guarded(r)
			})
		}
		access := w.post("/oauth2/token", "", asserted(w.assertion(k, "app", nil))).field("access_token")
		about := w.post("/oauth2/introspect", "", asserted(w.assertion(k, "app", nil), "token", access))
		if !strings.Contains(about.body, `"active":true`) {
			w.Errorf("introspection: %s", about.body)
		}
		w.want(w.post("/oauth2/revoke", "", asserted(w.assertion(k, "app", nil), "token", access)), 200, "")
		if s := w.status(access); s != "revoked" {
			w.Errorf("the token is %s", s)
		}
	})
}

// TestAssertionsThatAreRefused: T28, T7; all look the same.
func TestAssertionsThatAreRefused(t *testing.T) {
	each(t, func(w *world) {
		k, rs, stranger := jwttest.New(w, "ES256"), jwttest.New(w, "RS256"), jwttest.New(w, "ES256")
		w.keyed("app", k, rs, jwttest.New(w, "EdDSA"))
		w.keyed("other-app", stranger)
		w.client("both", "both-secret", func(c *store.Client) { // has keys, and proves itself by its secret
			c.JWKS, c.GrantTypes = setOf(w, k), append(c.GrantTypes, "client_credentials")
		})
		sign := func(header, changes map[string]any) string {
			h := map[string]any{"alg": "ES256", "kid": "k0"}
			for name, v := range header {
				h[name] = v
			}
			return k.Sign(w, h, w.claims("app", changes))
		}
		public, err := x509.MarshalPKIXPublicKey(rs.Signer().Public())
		if err != nil {
			w.Fatal(err)
		}
		mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
		good := sign(nil, nil)
		head, rest, _ := strings.Cut(good, ".")
		claims, signature, _ := strings.Cut(rest, ".")
		macced := jwttest.Encode([]byte(`{"alg":"HS256","kid":"k1"}`)) + "." + claims
		mac.Write([]byte(macced))
		later := func(d time.Duration) int64 { return w.now().Add(d).Unix() }
		for name, c := range map[string]struct {
			assertion string
			form      []string
		}{
			"none":                        {jwttest.Encode([]byte(`{"alg":"none"}`)) + "." + claims + ".", nil},
			"none, with a signature":      {jwttest.Encode([]byte(`{"alg":"none","kid":"k0"}`)) + "." + claims + "." + signature, nil},
			"a MAC by the public key":     {macced + "." + jwttest.Encode(mac.Sum(nil)), nil},
			"no signature":                {head + "." + claims + ".", nil},
			"another's signature":         {stranger.Sign(w, map[string]any{"alg": "ES256", "kid": "k0"}, w.claims("app", nil)), nil},
			"another client's":            {stranger.Sign(w, map[string]any{"alg": "ES256", "kid": "k0"}, w.claims("app", map[string]any{"iss": "other-app"})), nil},
			"for another client":          {sign(nil, map[string]any{"sub": "other-app"}), nil},
			"another client_id":           {sign(nil, nil), []string{"client_id", "other-app"}},
			"an unknown client":           {sign(nil, map[string]any{"iss": "nobody", "sub": "nobody"}), nil},
			"a client with a secret":      {sign(nil, map[string]any{"iss": "both", "sub": "both"}), nil},
			"a public client":             {sign(nil, map[string]any{"iss": "demo-spa", "sub": "demo-spa"}), nil},
			"another tenant's client":     {sign(nil, map[string]any{"iss": "other-web", "sub": "other-web"}), nil},
			"no issuer":                   {sign(nil, map[string]any{"iss": nil}), nil},
			"no subject":                  {sign(nil, map[string]any{"sub": nil}), nil},
			"an unknown kid":              {sign(map[string]any{"kid": "k9"}, nil), nil},
			"the kid of another kind":     {sign(map[string]any{"kid": "k1"}, nil), nil},
			"an empty kid":                {sign(map[string]any{"kid": ""}, nil), nil},
			"a kid that is a number":      {sign(map[string]any{"kid": 0}, nil), nil},
			"another algorithm":           {sign(map[string]any{"alg": "RS256", "kid": "k1"}, nil), nil},
			"an unknown algorithm":        {sign(map[string]any{"alg": "ES512"}, nil), nil},
			"something critical":          {sign(map[string]any{"crit": []string{"b64"}, "b64": false}, nil), nil},
			"a key of its own":            {stranger.Sign(w, map[string]any{"alg": "ES256", "jwk": stranger.JWK()}, w.claims("app", nil)), nil},
			"the type of a DPoP proof":    {sign(map[string]any{"typ": "dpop+jwt"}, nil), nil},
			"a type that is none":         {sign(map[string]any{"typ": 1}, nil), nil},
			"no audience":                 {sign(nil, map[string]any{"aud": nil}), nil},
			"an empty audience":           {sign(nil, map[string]any{"aud": []string{}}), nil},
			"another server":              {sign(nil, map[string]any{"aud": "https://other.example"}), nil},
			"another tenant":              {sign(nil, map[string]any{"aud": "http://other.localhost"}), nil},
			"another server too":          {sign(nil, map[string]any{"aud": []string{issuer, "https://other.example"}}), nil},
			"the issuer with a slash":     {sign(nil, map[string]any{"aud": issuer + "/"}), nil},
			"the API":                     {sign(nil, map[string]any{"aud": issuer + "/api"}), nil},
			"an audience in an object":    {sign(nil, map[string]any{"aud": map[string]any{"a": issuer}}), nil},
			"no end":                      {sign(nil, map[string]any{"exp": nil}), nil},
			"at its end":                  {sign(nil, map[string]any{"exp": later(0)}), nil},
			"past":                        {sign(nil, map[string]any{"exp": later(-time.Minute)}), nil},
			"too long":                    {sign(nil, map[string]any{"exp": later(6 * time.Minute)}), nil},
			"for ever":                    {sign(nil, map[string]any{"exp": int64(1) << 60}), nil},
			"an end in words":             {sign(nil, map[string]any{"exp": "soon"}), nil},
			"not yet":                     {sign(nil, map[string]any{"nbf": later(time.Minute)}), nil},
			"from the future":             {sign(nil, map[string]any{"iat": later(time.Minute)}), nil},
			"a beginning in words":        {sign(nil, map[string]any{"nbf": "now"}), nil},
			"no jti":                      {sign(nil, map[string]any{"jti": nil}), nil},
			"an empty jti":                {sign(nil, map[string]any{"jti": ""}), nil},
			"a jti that is a number":      {sign(nil, map[string]any{"jti": 7}), nil},
			"a long jti":                  {sign(nil, map[string]any{"jti": strings.Repeat("j", 257)}), nil},
			"too large":                   {sign(nil, map[string]any{"pad": strings.Repeat("x", 8<<10)}), nil},
			"another type of assertion":   {good, []string{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}},
			"the type in another case":    {good, []string{"client_assertion_type", strings.ToUpper(byAssertion)}},
			"no type of assertion":        {good, []string{"client_assertion_type", ""}},
			"a type without an assertion": {"", nil},
			"two parts":                   {head + "." + claims, nil},
			"encrypted":                   {strings.Repeat("a.", 4) + "a", nil},
			"claims that are a list":      {head + "." + jwttest.Encode([]byte("[]")) + "." + signature, nil},
			"claims of another":           {head + "." + jwttest.Encode([]byte(`{"iss":"app","sub":"app"}`)) + "." + signature, nil},
		} {
			w.sub(name, func(w *world) {
				r := w.post("/oauth2/token", "", asserted(c.assertion, c.form...))
				w.want(r, 401, "invalid_client")
				w.guarded(r)
				if want := w.post("/oauth2/token", "", url.Values{"grant_type": {"client_credentials"}, "client_id": {"nobody"}, "client_secret": {"x"}}); r.body != want.body {
					w.Errorf("told apart: %s", r.body)
				}
			})
		}
		w.sub("the good one", func(w *world) { w.want(w.post("/oauth2/token", "", asserted(good)), 200, "") })
		w.sub("a secret of a client with keys", func(w *world) {
			w.secret("demo", "app", "app-secret")
			w.want(w.post("/oauth2/token", "app", url.Values{"grant_type": {"client_credentials"}}), 401, "invalid_client")
			w.want(w.post("/oauth2/token", "", url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}}), 401, "invalid_client")
		})
		w.sub("two ways", func(w *world) {
			w.want(w.post("/oauth2/token", "demo-service", asserted(sign(nil, nil))), 400, "invalid_request")
			w.want(w.post("/oauth2/token", "", asserted(sign(nil, nil), "client_secret", "x")), 400, "invalid_request")
		})
	})
}

// TestClientsAreHeldToTheirMethod: Basic is not the body.
func TestClientsAreHeldToTheirMethod(t *testing.T) {
	each(t, func(w *world) {
		ask := func(id string, inBody bool) reply {
			form := url.Values{"grant_type": {"client_credentials"}}
			if inBody {
				return w.post("/oauth2/token", "", with(form, "client_id", id, "client_secret", id+"-secret"))
			}
			return w.post("/oauth2/token", id, form)
		}
		for _, method := range []string{"client_secret_basic", "client_secret_post"} {
			w.client(method, method+"-secret", func(c *store.Client) {
				c.AuthMethod, c.RedirectURIs, c.GrantTypes = method, nil, store.Words{"client_credentials"}
			})
			for _, inBody := range []bool{false, true} {
				if inBody == (method == "client_secret_post") {
					w.want(ask(method, inBody), 200, "")
				} else {
					w.want(ask(method, inBody), 401, "invalid_client")
				}
			}
		}
	})
}

// TestOneAssertionTwentyTimes: T28, in a race: one gets tokens.
func TestOneAssertionTwentyTimes(t *testing.T) {
	each(t, func(w *world) {
		k := jwttest.New(w, "ES256")
		w.keyed("app", k)
		for range 3 {
			form := asserted(w.assertion(k, "app", nil)).Encode()
			h := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
			replies := parallel(20, func() reply { return w.do("POST", "/oauth2/token", form, h) })
			if n := count(replies); n["200"] != 1 || n["invalid_client"] != 19 {
				w.Fatalf("got %v", n)
			}
		}
	})
}

// TestAnAssertionIsUsedUp by whatever it authenticated; another client's of the
// same jti is another.
func TestAnAssertionIsUsedUp(t *testing.T) {
	each(t, func(w *world) {
		k := jwttest.New(w, "ES256")
		w.keyed("app", k)
		w.keyed("twin", k)
		one := w.assertion(k, "app", map[string]any{"jti": "the same"})
		w.want(w.post("/oauth2/token", "", asserted(one, "scope", "admin")), 400, "invalid_scope")
		w.want(w.post("/oauth2/token", "", asserted(one)), 401, "invalid_client")
		w.want(w.post("/oauth2/introspect", "", asserted(one, "token", "x")), 401, "invalid_client")
		w.want(w.post("/oauth2/token", "", asserted(w.assertion(k, "twin", map[string]any{"jti": "the same"}))), 200, "")
		w.want(w.post("/oauth2/token", "", asserted(w.assertion(k, "app", nil))), 200, "")

		w.rule("token.issue", "denied", 403)
		two := w.assertion(k, "app", nil)
		w.want(w.post("/oauth2/token", "", asserted(two)), 400, "unauthorized_client")
		w.rule("", "", 0)
		w.want(w.post("/oauth2/token", "", asserted(two)), 401, "invalid_client")
	})
}

// TestNoAssertionIsTakenUnseen: where it can't be noted, nothing is answered
// but that.
func TestNoAssertionIsTakenUnseen(t *testing.T) {
	each(t, func(w *world) {
		k := jwttest.New(w, "ES256")
		w.keyed("app", k)
		w.alter("ALTER TABLE replays RENAME TO gone")
		one := w.assertion(k, "app", nil)
		for path, more := range map[string][]string{"/oauth2/token": nil, "/oauth2/introspect": {"token", "x"}, "/oauth2/revoke": {"token", "x"}} {
			w.want(w.post(path, "", asserted(one, more...)), 503, "temporarily_unavailable")
		}
		w.alter("ALTER TABLE gone RENAME TO replays")
		w.want(w.post("/oauth2/token", "", asserted(one)), 200, "")
	})
}

// TestKeysAtAnAddress: they are asked for once in an hour, or, for a kid that
// nobody knows, once in a minute.
func TestKeysAtAnAddress(t *testing.T) {
	each(t, func(w *world) {
		const at = "https://app.example/keys"
		k, next := jwttest.New(w, "ES256"), jwttest.New(w, "EdDSA")
		w.client("app", "", func(c *store.Client) {
			c.AuthMethod, c.JWKSURI, c.GrantTypes = "private_key_jwt", at, append(c.GrantTypes, "client_credentials")
		})
		ask := func(k *jwttest.Key, kid string) reply {
			return w.post("/oauth2/token", "", asserted(k.Sign(w, map[string]any{"alg": k.Alg, "kid": kid}, w.claims("app", nil))))
		}
		times := func(name string, want int) {
			w.Helper()
			if got := w.published.times(); got != want {
				w.Errorf("%s: asked %d times, want %d", name, got, want)
			}
		}
		w.published.publish("https://elsewhere.example/", "")
		w.want(ask(k, "k0"), 401, "invalid_client")
		w.want(ask(k, "k0"), 401, "invalid_client")
		times("an address that does not answer", 1)

		w.pass(time.Minute)
		w.published.publish(at, setOf(w, k))
		w.want(w.post("/oauth2/token", "", asserted(w.assertion(k, "app", map[string]any{"aud": "https://other.example"}))), 401, "invalid_client")
		times("an assertion that is no good anyway", 0)
		for range 3 {
			w.want(ask(k, "k0"), 200, "")
		}
		times("keys that are known", 1)
		for range 3 {
			w.want(ask(next, "k1"), 401, "invalid_client")
			w.want(ask(k, "k0"), 200, "")
		}
		times("a key that nobody knows, at once", 1)

		w.pass(time.Minute)
		w.published.publish(at, setOf(w, k, next))
		w.want(ask(next, "k1"), 200, "")
		w.want(ask(k, "k0"), 200, "")
		times("a new key", 1)

		w.published.publish(at, setOf(w, next))
		w.pass(59 * time.Minute)
		w.want(ask(k, "k0"), 200, "")
		times("an hour less a minute", 0)
		w.pass(time.Minute)
		w.want(ask(k, "k0"), 401, "invalid_client")
		w.want(ask(next, "k0"), 200, "")
		times("an hour", 1)

		w.pass(time.Hour)
		w.published.publish(at, `{"keys":[]}`)
		w.want(ask(next, "k0"), 401, "invalid_client")
		w.pass(time.Minute)
		w.published.publish(at, setOf(w, next))
		w.want(ask(next, "k0"), 200, "")

		w.pass(time.Hour)
		w.published.publish(at, setOf(w, next))
		w.published.gate = make(chan struct{})
		done := make(chan map[string]int)
		go func() { done <- count(parallel(10, func() reply { return ask(next, "k0") })) }()
		w.published.gate <- struct{}{}
		if n := <-done; n["200"] != 10 {
			w.Errorf("ten at once: %v", n)
		}
		times("ten at once", 1)
	})
}

// TestASetThatCantBeRead says nothing of it to the client.
func TestWhatStandsAtAnAddressIsBounded(t *testing.T) {
	each(t, func(w *world) {
		const at = "https://app.example/keys"
		k := jwttest.New(w, "ES256")
		w.client("app", "", func(c *store.Client) {
			c.AuthMethod, c.JWKSURI, c.GrantTypes = "private_key_jwt", at, append(c.GrantTypes, "client_credentials")
		})
		secret, err := json.Marshal(map[string]any{"keys": []any{map[string]any{"kty": "oct", "k": "AAAA", "kid": "k0"}}})
		if err != nil {
			w.Fatal(err)
		}
		for name, set := range map[string]string{
			"no JSON": "<html>", "no set": "{}", "too large": `{"keys":[` + strings.Repeat(" ", 40<<10) + `]}`, "a secret": string(secret),
		} {
			w.pass(time.Hour)
			w.published.publish(at, set)
			r := w.post("/oauth2/token", "", asserted(w.assertion(k, "app", nil)))
			w.want(r, 401, "invalid_client")
			if w.published.times() != 1 || strings.Contains(r.body, "key") {
				w.Errorf("%s: asked %d times, %s", name, w.published.times(), r.body)
			}
		}
	})
}
