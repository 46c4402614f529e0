package tests

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/tests/harness"
)

// keyed is a client that proves its key with every request.
type keyed struct {
	*proof
	key   *jwttest.Key
	nonce string // the newest that the server gave
}

// keyedAt is a client with a new key.
func (p *proof) keyedAt(t *testing.T) *keyed {
	t.Helper()
	return &keyed{proof: p, key: jwttest.New(t, "ES256")}
}

// token asks the token endpoint of a node with a proof; as the library of an
// app would, it does so again with the nonce that it is told.
func (k *keyed) token(t *testing.T, node *harness.Server, app string, form url.Values, changes map[string]any) *harness.Answer {
	t.Helper()
	for n := 1; ; n++ {
		claims := map[string]any{}
		if k.nonce != "" {
			claims["nonce"] = k.nonce
		}
		maps.Copy(claims, changes)
		a := k.tokenWith(t, node, app, form, k.key.Proof(t, "POST", k.URL+"/oauth2/token", time.Now(), claims))
		if nonce := a.Header.Get("DPoP-Nonce"); nonce != "" {
			k.nonce = nonce
		}
		if n == 2 || a.Code() != "use_dpop_nonce" || changes != nil {
			return a
		}
	}
}

// tokenWith asks with these very proofs.
func (k *keyed) tokenWith(t *testing.T, node *harness.Server, app string, form url.Values, proofs ...string) *harness.Answer {
	t.Helper()
	a := k.apps[app]
	r := http.Request{Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	if a.Secret == "" {
		form.Set("client_id", a.ID)
	} else {
		r.SetBasicAuth(url.QueryEscape(a.ID), url.QueryEscape(a.Secret))
	}
	if len(proofs) > 0 {
		r.Header["Dpop"] = proofs
	}
	return must(node.Send(harness.Request{Method: http.MethodPost, URL: node.URL + "/oauth2/token", Header: r.Header, Body: form.Encode()}))(t)
}

// get asks for Alice's balance at a node, with the scheme and these proofs.
func (k *keyed) get(t *testing.T, node *harness.Server, scheme, token string, proofs ...string) *harness.Answer {
	t.Helper()
	h := http.Header{"Authorization": {scheme + " " + token}}
	if len(proofs) > 0 {
		h["Dpop"] = proofs
	}
	return must(node.Send(harness.Request{Method: http.MethodGet, URL: node.URL + "/api/points?customer_id=cus_alice", Header: h}))(t)
}

// proves is a proof for get, but for the changes.
func (k *keyed) proves(t *testing.T, token string, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{"ath": jwttest.HashOf(token)}
	maps.Copy(claims, changes)
	return k.key.Proof(t, "GET", k.URL+"/api/points", time.Now(), claims)
}

// dpop: RFC 9449.
func (p *proof) dpop(t *testing.T) {
	k, thief := p.keyedAt(t), p.keyedAt(t)
	live := accepts(t, k.token(t, p.Server, "demo-spa", redeems(p.code(t, "client_id", "demo-spa")), nil))
	t.Run("D16 the answer, introspection and metadata say so", func(t *testing.T) {
		a := p.post(t, "/oauth2/introspect", "demo-gateway", shows(live.Access))
		if jkt, err := a.At("cnf.jkt"); live.Type != "DPoP" || err != nil || jkt != k.key.Thumbprint() {
			t.Errorf("%+v, %s", live, a)
		}
		if m := p.document(t, serverMetadata, nil); len(m["dpop_signing_alg_values_supported"].([]any)) != 4 {
			t.Errorf("metadata: %v", m["dpop_signing_alg_values_supported"])
		}
	})
	t.Run("D16 a JWT says so itself", func(t *testing.T) { p.boundJWT(t, k) })
	p.badProofs(t, k)
	p.boundTokens(t, k, thief, live)
	p.boundCodes(t, k, thief)
	t.Run("D7 shown at every node at once, a proof is good once", func(t *testing.T) {
		nodes, proof := p.nodes(), k.proves(t, live.Access, nil)
		inOne := k.key.Proof(t, "POST", k.URL+"/oauth2/token", time.Now(), map[string]any{"nonce": k.nonce})
		var wg sync.WaitGroup
		var mu sync.Mutex
		good := map[string]int{}
		for i := range 24 {
			wg.Go(func() {
				node, kind := nodes[i%len(nodes)], "api"
				a := &harness.Answer{}
				if i%4 < 2 {
					a = k.get(t, node, "DPoP", live.Access, proof)
				} else {
					kind = "token"
					a = k.tokenWith(t, node, "demo-service", url.Values{"grant_type": {"client_credentials"}}, inOne)
				}
				mu.Lock()
				defer mu.Unlock()
				if a.Status == http.StatusOK {
					good[kind]++
				} else if a.Status >= 500 {
					t.Error(a)
				}
			})
		}
		wg.Wait()
		if good["api"] != 1 || good["token"] != 1 {
			t.Errorf("of 12 each: %v", good)
		}
	})
}

// boundJWT: an access token in the form of RFC 9068 is bound like any other.
func (p *proof) boundJWT(t *testing.T, k *keyed) {
	p.register(t, map[string]any{
		"id": "keyed-jwt", "name": "Keyed", "public": true, "grant_types": words("authorization_code"), "scopes": words("points:read"),
		"redirect_uris": []string{callback}, "access_token_format": "jwt", "dpop_bound_access_tokens": true,
	})
	code := p.code(t, "client_id", "keyed-jwt", "scope", "points:read")
	refuses(t, p.post(t, "/oauth2/token", "keyed-jwt", redeems(code)), 400, "invalid_dpop_proof") // it must show a key
	got := accepts(t, k.token(t, p.Server, "keyed-jwt", redeems(code), nil))
	var claims struct {
		Cnf struct{ JKT string }
	}
	parts := strings.Split(got.Access, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %s", got.Access)
	}
	if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(parts[1]))(t), &claims); err != nil || claims.Cnf.JKT != k.key.Thumbprint() {
		t.Errorf("%v, bound to %q", err, claims.Cnf.JKT)
	}
	if a := k.get(t, p.Server, "DPoP", got.Access, k.proves(t, got.Access, nil)); a.Status != http.StatusOK {
		t.Error(a)
	}
	wantChallenge(t, k.get(t, p.Server, "Bearer", got.Access), 401, `error="invalid_token"`)
}

// badProofs are refused at the token endpoint with 400, and at the API with 401.
func (p *proof) badProofs(t *testing.T, k *keyed) {
	code := p.code(t, "client_id", "demo-spa")
	live := accepts(t, k.token(t, p.Server, "demo-spa", redeems(p.code(t, "client_id", "demo-spa")), nil))
	signed := func(header, jwk map[string]any) func(claims map[string]any) string {
		return func(claims map[string]any) string {
			h := map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": k.key.JWK()}
			maps.Copy(h, header)
			maps.Copy(h["jwk"].(map[string]any), jwk)
			return k.key.Sign(t, h, claims)
		}
	}
	good := signed(nil, nil)
	claimed := func(name string, v any) func(claims map[string]any) string {
		return func(claims map[string]any) string { claims[name] = v; return good(claims) }
	}
	for name, make := range map[string]func(claims map[string]any) string{
		"D1 another typ": signed(map[string]any{"typ": "JWT"}, nil),
		"D1 no typ":      signed(map[string]any{"typ": nil}, nil),
		"D2 none":        signed(map[string]any{"alg": "none"}, nil),
		"D2 HS256":       signed(map[string]any{"alg": "HS256"}, nil),
		"D2 none, unsigned": func(c map[string]any) string {
			return strings.Join(strings.Split(signed(map[string]any{"alg": "none"}, nil)(c), ".")[:2], ".") + "."
		},
		"D2 HS256, its own key": signed(map[string]any{"alg": "HS256", "jwk": map[string]any{"kty": "oct", "k": "AAAA"}}, nil),
		"D3 no key":             signed(map[string]any{"jwk": map[string]any{}}, nil),
		"D3 a private key":      signed(nil, map[string]any{"d": "AAAA"}),
		"D4 a bad signature":    func(c map[string]any) string { s := good(c); return s[:len(s)-43] + strings.Repeat("A", 43) },
		"D4 no signature":       func(c map[string]any) string { return strings.Join(strings.Split(good(c), ".")[:2], ".") + "." },
		"D5 another method":     claimed("htm", "PUT"),
		"D5 another URL":        claimed("htu", "https://evil.example/oauth2/token"),
		"D5 the host's header":  claimed("htu", strings.Replace(k.URL, "127.0.0.1", "localhost", 1)+"/oauth2/token"),
		"D6 no time":            claimed("iat", nil),
		"D6 old":                claimed("iat", time.Now().Add(-time.Hour).Unix()),
		"D6 from the future":    claimed("iat", time.Now().Add(time.Hour).Unix()),
		"D7 no jti":             claimed("jti", nil),
		"D17 garbage":           func(map[string]any) string { return "garbage" },
		"D17 too large":         claimed("x", strings.Repeat("x", 4096)),
	} {
		t.Run(name, func(t *testing.T) {
			claims := func(method, path string) map[string]any {
				return map[string]any{"jti": harness.NewKey(), "htm": method, "htu": k.URL + path, "iat": time.Now().Unix(), "nonce": k.nonce, "ath": jwttest.HashOf(live.Access)}
			}
			refuses(t, k.tokenWith(t, p.Server, "demo-spa", redeems(code), make(claims("POST", "/oauth2/token"))), 400, "invalid_dpop_proof")
			wantProofChallenge(t, k.get(t, p.Server, "DPoP", live.Access, make(claims("GET", "/api/points"))), "invalid_dpop_proof")
		})
	}
	t.Run("D5 query, fragment and the case of the host don't count", func(t *testing.T) {
		htu := strings.Replace(k.URL, "http:", "HTTP:", 1) + "/api/points?x=y#z"
		if a := k.get(t, p.Server, "DPoP", live.Access, k.proves(t, live.Access, map[string]any{"htu": htu})); a.Status != http.StatusOK {
			t.Error(a)
		}
	})
	t.Run("D8 no header at the API", func(t *testing.T) {
		wantProofChallenge(t, k.get(t, p.Server, "DPoP", live.Access), "invalid_dpop_proof")
	})
	t.Run("D8 two headers", func(t *testing.T) {
		proof := k.key.Proof(t, "POST", k.URL+"/oauth2/token", time.Now(), map[string]any{"nonce": k.nonce})
		refuses(t, k.tokenWith(t, p.Server, "demo-spa", redeems(code), proof, proof), 400, "invalid_dpop_proof")
		proof = k.proves(t, live.Access, nil)
		wantProofChallenge(t, k.get(t, p.Server, "DPoP", live.Access, proof, proof), "invalid_dpop_proof")
	})
	t.Run("D9 ath is missing, or of another token", func(t *testing.T) {
		for _, ath := range []any{nil, jwttest.HashOf("another")} {
			wantProofChallenge(t, k.get(t, p.Server, "DPoP", live.Access, k.proves(t, live.Access, map[string]any{"ath": ath})), "invalid_dpop_proof")
		}
	})
	t.Run("D13 the server's nonce", func(t *testing.T) {
		for _, nonce := range []any{nil, "AAAAAAAAAAAAAAAAAAAAAA"} {
			a := k.token(t, p.Server, "demo-spa", redeems(code), map[string]any{"nonce": nonce})
			refuses(t, a, 400, "use_dpop_nonce")
			if a.Header.Get("DPoP-Nonce") == "" {
				t.Error("no DPoP-Nonce")
			}
		}
		a := k.get(t, p.Server, "DPoP", live.Access, k.proves(t, live.Access, map[string]any{"nonce": "AAAAAAAAAAAAAAAAAAAAAA"}))
		wantProofChallenge(t, a, "use_dpop_nonce")
		if again := k.get(t, p.Server, "DPoP", live.Access, k.proves(t, live.Access, map[string]any{"nonce": a.Header.Get("DPoP-Nonce")})); again.Status != 200 {
			t.Error(again)
		}
	})
	accepts(t, k.token(t, p.Server, "demo-spa", redeems(code), nil)) // the code is as good as before
}

// wantProofChallenge wants a 401 in the one scheme that libraries look for.
func wantProofChallenge(t *testing.T, a *harness.Answer, code string) {
	t.Helper()
	h, nonce := a.Header.Get("WWW-Authenticate"), a.Header.Get("DPoP-Nonce")
	good := a.Status == http.StatusUnauthorized && strings.HasPrefix(h, "DPoP realm=") && !strings.Contains(h, "Bearer realm=") &&
		strings.Contains(h, `error="`+code+`"`) && strings.HasSuffix(h, `algs="ES256 RS256 PS256 EdDSA"`)
	if !good || nonce == "" {
		t.Errorf("%s\nWWW-Authenticate: %s\nDPoP-Nonce: %s", a, h, nonce)
	}
}

// boundTokens: what a stolen token is worth.
func (p *proof) boundTokens(t *testing.T, k, thief *keyed, live *harness.Tokens) {
	t.Run("D10 another key", func(t *testing.T) {
		wantProofChallenge(t, k.get(t, p.Server, "DPoP", live.Access, thief.proves(t, live.Access, nil)), "invalid_token")
	})
	t.Run("D11 as a bearer token", func(t *testing.T) {
		for _, proofs := range [][]string{nil, {k.proves(t, live.Access, nil)}} {
			a := k.get(t, p.Server, "Bearer", live.Access, proofs...)
			wantChallenge(t, a, 401, `Bearer realm=`, `error="invalid_token"`, `DPoP algs=`)
			record := must(p.Get("/admin/api/decisions/"+a.Header.Get("X-Decision-Id"), p.Demo.AuditorToken))(t)
			fault, err := record.At("input.context.authentication.fault")
			if whose, _ := record.At("input.subject.id"); err != nil || fault != "invalid_token" || whose != "cus_alice" {
				t.Errorf("the record does not say whose token was shown without its key: %v %s", err, record)
			}
		}
	})
	t.Run("D12 a bearer token by DPoP", func(t *testing.T) {
		plain := p.tokens(t, "demo-spa")
		wantProofChallenge(t, k.get(t, p.Server, "DPoP", plain.Access, k.proves(t, plain.Access, nil)), "invalid_token")
	})
	t.Run("D15 a public client's refresh token with another key, or with none", func(t *testing.T) {
		refuses(t, thief.token(t, p.Server, "demo-spa", again(live.Refresh), nil), 400, "invalid_grant")
		refuses(t, p.post(t, "/oauth2/token", "demo-spa", again(live.Refresh)), 400, "invalid_grant")
		if a := k.get(t, p.Server, "DPoP", live.Access, k.proves(t, live.Access, nil)); a.Status != 200 {
			t.Errorf("its access token ends with it: %s", a)
		}
	})
	t.Run("D15 a replay with another key ends the grant", func(t *testing.T) {
		got := accepts(t, k.token(t, p.Server, "demo-web", redeems(p.code(t)), nil))
		next := accepts(t, k.token(t, p.Server, "demo-web", again(got.Refresh), nil))
		refuses(t, thief.token(t, p.Server, "demo-web", again(got.Refresh), nil), 400, "invalid_grant")
		wantProofChallenge(t, k.get(t, p.Server, "DPoP", next.Access, k.proves(t, next.Access, nil)), "invalid_token")
	})
}

// boundCodes: dpop_jkt.
func (p *proof) boundCodes(t *testing.T, k, thief *keyed) {
	t.Run("D14 a code is for the key that was asked for", func(t *testing.T) {
		code := p.code(t, "client_id", "demo-spa", "dpop_jkt", k.key.Thumbprint())
		refuses(t, thief.token(t, p.Server, "demo-spa", redeems(code), nil), 400, "invalid_grant")
		refuses(t, p.post(t, "/oauth2/token", "demo-spa", redeems(code)), 400, "invalid_grant")
		accepts(t, k.token(t, p.Server, "demo-spa", redeems(code), nil))
	})
}
