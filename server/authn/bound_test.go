package authn_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/server/web"
)

const apiURL = "http://demo.localhost/api"

// bound puts tokens into the world: one of each kind.
func (e *env) bound(key *jwttest.Key) {
	e.t.Helper()
	token := oauth2.Token{
		Tenant: "demo", SubjectType: "customer", Subject: "cus_alice", ClientID: "shop", GrantID: "grt_1",
		Scopes: []string{"points:read"}, Audience: apiURL, Status: oauth2.Valid,
	}
	for name, cnf := range map[string]string{
		"pga_plain": "", "pga_key": "dpop:" + key.Thumbprint(), "pga_cert": "x5t:" + jwttest.HashOf(string(e.cert.Raw)),
	} {
		t := token
		t.Cnf = cnf
		e.tokens[name] = &t
	}
	gone := *e.tokens["pga_key"]
	gone.Status = oauth2.Revoked
	e.tokens["pga_revoked"] = &gone
}

func TestBoundTokens(t *testing.T) {
	e := newEnv(t)
	key, other := jwttest.New(t, "ES256"), jwttest.New(t, "ES256")
	mine, another := jwttest.New(t, "ES256").Certificate(t, "a").Leaf, jwttest.New(t, "ES256").Certificate(t, "a").Leaf
	e.cert = mine
	e.bound(key)
	proof := func(k *jwttest.Key, changes map[string]any) string {
		claims := map[string]any{"ath": jwttest.HashOf("pga_key")}
		for name, v := range changes {
			claims[name] = v
		}
		return k.Proof(t, "GET", apiURL, e.now, claims)
	}
	once := proof(key, nil)
	for _, c := range []struct {
		name    string
		headers []string
		certNot bool
		want    string // status, binding and fault of the caller
	}{
		{"a bearer token", []string{"Authorization", "Bearer pga_plain"}, false, "valid||"},
		{"a bearer token with a proof", []string{"Authorization", "Bearer pga_plain", "DPoP", proof(key, nil)}, false, "valid||"},
		{"a proof", []string{"Authorization", "DPoP pga_key", "DPoP", once}, false, "valid|dpop|"},
		{"D7 the same proof", []string{"Authorization", "DPoP pga_key", "DPoP", once}, false, "invalid||invalid_dpop_proof"},
		{"the scheme in another case", []string{"Authorization", "dPoP pga_key", "DPoP", proof(key, nil)}, false, "valid|dpop|"},
		{"D5 another host", []string{"Authorization", "DPoP pga_key", "DPoP", proof(key, map[string]any{"htu": "http://127.0.0.1/api"})}, false, "invalid||invalid_dpop_proof"},
		{"D5 another method", []string{"Authorization", "DPoP pga_key", "DPoP", proof(key, map[string]any{"htm": "POST"})}, false, "invalid||invalid_dpop_proof"},
		{"D6 an old proof", []string{"Authorization", "DPoP pga_key", "DPoP", proof(key, map[string]any{"iat": e.now.Add(-time.Hour).Unix()})}, false, "invalid||invalid_dpop_proof"},
		{"D8 two proofs", []string{"Authorization", "DPoP pga_key", "DPoP", proof(key, nil), "DPoP", proof(key, nil)}, false, "invalid||invalid_dpop_proof"},
		{"D9 no ath", []string{"Authorization", "DPoP pga_key", "DPoP", proof(key, map[string]any{"ath": nil})}, false, "invalid||invalid_dpop_proof"},
		{"D9 the ath of another token", []string{"Authorization", "DPoP pga_key", "DPoP", proof(key, map[string]any{"ath": jwttest.HashOf("pga_plain")})}, false, "invalid||invalid_dpop_proof"},
		{"D10 another key", []string{"Authorization", "DPoP pga_key", "DPoP", proof(other, nil)}, false, "invalid||invalid_token"},
		{"D11 as Bearer", []string{"Authorization", "Bearer pga_key"}, false, "invalid||invalid_token"},
		{"D11 as Bearer with a proof", []string{"Authorization", "Bearer pga_key", "DPoP", proof(key, nil)}, false, "invalid||invalid_token"},
		{"D12 an unbound token", []string{"Authorization", "DPoP pga_plain", "DPoP", proof(key, map[string]any{"ath": jwttest.HashOf("pga_plain")})}, false, "invalid||invalid_token"},
		{"D12 one of a certificate", []string{"Authorization", "DPoP pga_cert", "DPoP", proof(key, map[string]any{"ath": jwttest.HashOf("pga_cert")})}, false, "invalid||invalid_token"},
		{"D13 a nonce that nobody gave", []string{"Authorization", "DPoP pga_key", "DPoP", proof(key, map[string]any{"nonce": "x"})}, false, "invalid||use_dpop_nonce"},
		{"D13 a nonce", []string{"Authorization", "DPoP pga_key", "DPoP", proof(key, map[string]any{"nonce": e.provider.Nonce(e.tenant)})}, false, "valid|dpop|"},
		{"D17 a large proof", []string{"Authorization", "DPoP pga_key", "DPoP", proof(key, map[string]any{"x": strings.Repeat("x", 3500)})}, false, "invalid||invalid_dpop_proof"},
		{"no proof", []string{"Authorization", "DPoP pga_key"}, false, "invalid||invalid_dpop_proof"},
		{"a revoked token needs no proof", []string{"Authorization", "DPoP pga_revoked"}, false, "revoked||"},
		{"a token that nobody made", []string{"Authorization", "DPoP pga_nobody", "DPoP", proof(key, nil)}, false, "invalid||"},
		{"another kind of credential", []string{"Authorization", "DPoP pgk_x", "DPoP", proof(key, nil)}, false, "invalid||"},
		{"a certificate", []string{"Authorization", "Bearer pga_cert"}, false, "valid|mtls|"},
		{"another certificate", []string{"Authorization", "Bearer pga_cert"}, true, "invalid||invalid_token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if e.cert = mine; c.certNot {
				e.cert = another
			}
			_, k := e.ask("/api", c.headers...)
			if got := string(k.Status) + "|" + k.Bound + "|" + k.Fault; got != c.want {
				t.Errorf("got %s %q, want %s", got, k.FaultDetail, c.want)
			}
			if k.Fault != "" && (k.ID != "cus_alice" || k.FaultDetail == "") {
				t.Errorf("nobody knows whose token it was, or what was wrong: %+v", k)
			}
		})
	}
	t.Run("no certificate", func(t *testing.T) {
		e.cert = nil
		if _, k := e.ask("/api", "Authorization", "Bearer pga_cert"); k.Status != web.Invalid || k.Fault != "invalid_token" {
			t.Errorf("got %+v", k)
		}
	})
	t.Run("the query is not in htu, the path is", func(t *testing.T) {
		if _, k := e.ask("/api?customer_id=x", "Authorization", "DPoP pga_key", "DPoP", proof(key, nil)); k.Status != web.Valid {
			t.Errorf("got %+v", k)
		}
		if _, k := e.ask("/page", "Authorization", "DPoP pga_key", "DPoP", proof(key, nil)); k.Fault != "invalid_dpop_proof" {
			t.Errorf("got %+v", k)
		}
	})
}

func TestAnswersToProofsCarryANonce(t *testing.T) {
	e := newEnv(t)
	for authorization, want := range map[string]string{"DPoP junk": e.provider.Nonce(e.tenant), "Bearer junk": "", "": ""} {
		r := httptest.NewRequest(http.MethodGet, "/api", nil)
		r.Header.Set("Authorization", authorization)
		res, err := e.app.Test(r, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.Header.Get("DPoP-Nonce"); got != want {
			t.Errorf("%q: nonce %q, want %q", authorization, got, want)
		}
	}
}

// TestParallelProofs is D7: of many with one proof, one gets through.
func TestParallelProofs(t *testing.T) {
	e := newEnv(t)
	key := jwttest.New(t, "EdDSA")
	e.cert = key.Certificate(t, "a").Leaf
	e.bound(key)
	proof := key.Proof(t, "GET", apiURL, e.now, map[string]any{"ath": jwttest.HashOf("pga_key")})
	var wg sync.WaitGroup
	results := make(chan web.Status, 20)
	for range cap(results) {
		wg.Go(func() {
			_, k := e.ask("/api", "Authorization", "DPoP pga_key", "DPoP", proof)
			results <- k.Status
		})
	}
	wg.Wait()
	close(results)
	valid := 0
	for s := range results {
		if s == web.Valid {
			valid++
		}
	}
	if valid != 1 {
		t.Errorf("%d of %d got through", valid, cap(results))
	}
}
