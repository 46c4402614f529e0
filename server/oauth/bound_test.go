package oauth_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

const tokenURL = issuer + "/oauth2/token"

// prove sends a form to the token endpoint with a proof; a nil key: with none.
func (w *world) prove(client string, form url.Values, key *jwttest.Key, changes map[string]any) reply {
	w.Helper()
	h := map[string]string{}
	if key != nil {
		claims := map[string]any{"nonce": w.nonce()}
		maps.Copy(claims, changes)
		h["DPoP"] = key.Proof(w, "POST", tokenURL, w.now(), claims)
	}
	return w.send("/oauth2/token", client, form, h)
}

// send is post with more headers.
func (w *world) send(path, client string, form url.Values, header map[string]string) reply {
	w.Helper()
	h := maps.Clone(header)
	h["Content-Type"] = "application/x-www-form-urlencoded"
	if c, err := store.GetClient(context.Background(), w.db, "demo", client); err == nil && c.Public {
		form.Set("client_id", client)
	} else {
		h["Authorization"] = basic(client, client+"-secret")
	}
	return w.do("POST", path, form.Encode(), h)
}

func (w *world) nonce() string {
	w.Helper()
	t, err := store.GetTenant(context.Background(), w.db, "demo")
	if err != nil {
		w.Fatal(err)
	}
	return w.provider.Nonce(t)
}

// cnf is what a resource server is told about a token: its type and binding.
func (w *world) cnf(token string) (kind, jkt, x5t string) {
	w.Helper()
	r := w.post("/oauth2/introspect", "demo-gateway", url.Values{"token": {token}})
	var a struct {
		Type string `json:"token_type"`
		Cnf  struct {
			JKT string `json:"jkt"`
			X5T string `json:"x5t#S256"`
		} `json:"cnf"`
	}
	if err := json.Unmarshal([]byte(r.body), &a); err != nil {
		w.Fatal(err)
	}
	return a.Type, a.Cnf.JKT, a.Cnf.X5T
}

// boundAt is how the policy was last told that the tokens of an action would be bound.
func (w *world) boundAt(action string) (bound string) {
	w.Helper()
	size, err := w.db.LogSize(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	err = w.db.Records(context.Background(), 0, size, func(r *store.Record) error {
		var body struct {
			Input struct {
				Context struct{ Authentication struct{ Bound string } }
			}
		}
		if err := json.Unmarshal(r.Body, &body); err != nil || r.Action != action {
			return err
		}
		bound = body.Input.Context.Authentication.Bound
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return bound
}

func TestTokensAreBoundToTheKey(t *testing.T) {
	each(t, func(w *world) {
		key := jwttest.New(w, "ES256")
		for _, client := range []string{"demo-spa", "demo-web"} {
			w.sub("D16 of "+client, func(w *world) {
				r := w.prove(client, redeem(w.code("client_id", client)), key, nil)
				w.want(r, 200, "")
				w.guarded(r)
				if r.field("token_type") != "DPoP" || r.header.Get("DPoP-Nonce") != w.nonce() {
					w.Errorf("got %s, nonce %q", r.body, r.header.Get("DPoP-Nonce"))
				}
				if bound := w.boundAt("token.issue"); bound != oauth2.BoundDPoP {
					w.Errorf("the policy was told %q", bound)
				}
				if kind, jkt, x5t := w.cnf(r.field("access_token")); kind != "DPoP" || jkt != key.Thumbprint() || x5t != "" {
					w.Errorf("introspection says %s, %s, %s", kind, jkt, x5t)
				}
				r = w.prove(client, again(r.field("refresh_token")), key, nil)
				w.want(r, 200, "")
				if _, jkt, _ := w.cnf(r.field("access_token")); r.field("token_type") != "DPoP" || jkt != key.Thumbprint() {
					w.Errorf("refreshed: %s, bound to %s", r.body, jkt)
				}
			})
		}
		w.sub("D16 of client credentials", func(w *world) {
			r := w.prove("demo-service", url.Values{"grant_type": {"client_credentials"}}, key, map[string]any{"nonce": nil})
			w.want(r, 200, "")
			if _, jkt, _ := w.cnf(r.field("access_token")); jkt != key.Thumbprint() {
				w.Errorf("bound to %s", jkt)
			}
		})
		w.sub("without a proof they are bearer tokens", func(w *world) {
			access, _ := w.tokens("demo-spa")
			if bound := w.boundAt("token.issue"); bound != "" {
				w.Errorf("the policy was told %q", bound)
			}
			if kind, jkt, x5t := w.cnf(access); kind != "Bearer" || jkt+x5t != "" {
				w.Errorf("got %s %s %s", kind, jkt, x5t)
			}
		})
		w.sub("a bearer's refresh token can be upgraded, and never back", func(w *world) {
			_, token := w.tokens("demo-spa")
			r := w.prove("demo-spa", again(token), key, nil)
			w.want(r, 200, "")
			w.want(w.prove("demo-spa", again(r.field("refresh_token")), nil, nil), 400, "invalid_grant")
			w.want(w.prove("demo-spa", again(r.field("refresh_token")), key, nil), 200, "")
		})
		w.sub("the other endpoints give a nonce, too", func(w *world) {
			r := w.send("/oauth2/revoke", "demo-web", url.Values{"token": {"x"}}, map[string]string{"DPoP": "x"})
			if w.want(r, 200, ""); r.header.Get("DPoP-Nonce") == "" {
				w.Error("none")
			}
		})
	})
}

// TestProofsThatGiveNothing: each with a code that stays good.
func TestProofsThatGiveNothing(t *testing.T) {
	each(t, func(w *world) {
		key := jwttest.New(w, "EdDSA")
		code := w.code("client_id", "demo-spa")
		for name, c := range map[string]struct {
			changes map[string]any
			code    string
		}{
			"D5 another method":             {map[string]any{"htm": "GET"}, "invalid_dpop_proof"},
			"D5 another endpoint":           {map[string]any{"htu": issuer + "/oauth2/revoke"}, "invalid_dpop_proof"},
			"D5 the address of the machine": {map[string]any{"htu": w.base + "/oauth2/token"}, "invalid_dpop_proof"},
			"D6 an old one":                 {map[string]any{"iat": w.now().Add(-time.Hour).Unix()}, "invalid_dpop_proof"},
			"D6 one of the future":          {map[string]any{"iat": w.now().Add(time.Minute).Unix()}, "invalid_dpop_proof"},
			"D13 no nonce":                  {map[string]any{"nonce": nil}, "use_dpop_nonce"},
			"D13 a nonce that nobody gave":  {map[string]any{"nonce": "AAAAAAAAAAAAAAAAAAAAAA"}, "use_dpop_nonce"},
			"D17 a large one":               {map[string]any{"x": strings.Repeat("x", 4096)}, "invalid_dpop_proof"},
		} {
			w.sub(name, func(w *world) {
				r := w.prove("demo-spa", redeem(code), key, c.changes)
				w.want(r, 400, c.code)
				w.guarded(r)
				if r.header.Get("DPoP-Nonce") != w.nonce() {
					w.Error("there is no nonce to try again with")
				}
			})
		}
		w.sub("D8 two in a line", func(w *world) {
			proof := key.Proof(w, "POST", tokenURL, w.now(), map[string]any{"nonce": w.nonce()})
			r := w.send("/oauth2/token", "demo-spa", redeem(code), map[string]string{"DPoP": proof + ", " + proof})
			w.want(r, 400, "invalid_dpop_proof")
		})
		w.sub("D13 the nonce of another tenant", func(w *world) {
			other, err := store.GetTenant(context.Background(), w.db, "other")
			if err != nil {
				w.Fatal(err)
			}
			w.want(w.prove("demo-spa", redeem(code), key, map[string]any{"nonce": w.provider.Nonce(other)}), 400, "use_dpop_nonce")
		})
		w.sub("D13 a confidential client may do without, but not with a wrong one", func(w *world) {
			form := url.Values{"grant_type": {"client_credentials"}}
			w.want(w.prove("demo-service", form, key, map[string]any{"nonce": "x"}), 400, "use_dpop_nonce")
			w.want(w.prove("demo-service", form, key, map[string]any{"nonce": nil}), 200, "")
		})
		w.sub("D13 the nonce that was handed out is good, as long as it is", func(w *world) {
			nonce := w.prove("demo-spa", redeem(code), key, map[string]any{"nonce": nil}).header.Get("DPoP-Nonce")
			w.pass(15 * time.Minute)
			fresh := w.code("client_id", "demo-spa")
			w.want(w.prove("demo-spa", redeem(fresh), key, map[string]any{"nonce": nonce}), 400, "use_dpop_nonce")
			w.want(w.prove("demo-spa", redeem(fresh), key, nil), 200, "")
		})
	})
}

func TestProofsAreGoodOnce(t *testing.T) {
	each(t, func(w *world) {
		key := jwttest.New(w, "ES256")
		same := map[string]any{"jti": "the same"}
		form := url.Values{"grant_type": {"client_credentials"}}
		w.want(w.prove("demo-service", form, key, same), 200, "")
		r := w.prove("demo-service", form, key, same)
		w.want(r, 400, "invalid_dpop_proof") // D7
		w.guarded(r)
		w.want(w.prove("demo-service", form, jwttest.New(w, "ES256"), same), 200, "") // another's jti is another
		w.sub("D7 in a race", func(w *world) {
			proof := key.Proof(w, "POST", tokenURL, w.now(), nil)
			replies := parallel(20, func() reply {
				return w.send("/oauth2/token", "demo-service", url.Values{"grant_type": {"client_credentials"}}, map[string]string{"DPoP": proof})
			})
			if n := count(replies); n["200"] != 1 || n["invalid_dpop_proof"] != 19 {
				w.Errorf("got %v", n)
			}
		})
	})
}

// TestCodesAreForTheKey is D14: dpop_jkt (RFC 9449 §10).
func TestCodesAreForTheKey(t *testing.T) {
	each(t, func(w *world) {
		key, other := jwttest.New(w, "ES256"), jwttest.New(w, "ES256")
		asked := []string{"client_id", "demo-spa", "dpop_jkt", key.Thumbprint()}
		code := w.code(asked...)
		w.want(w.prove("demo-spa", redeem(code), other, nil), 400, "invalid_grant")
		w.want(w.prove("demo-spa", redeem(code), nil, nil), 400, "invalid_grant")
		w.want(w.prove("demo-spa", redeem(code), key, nil), 200, "")
		if len(w.told(reuse)) != 0 {
			w.Errorf("told: %+v", w.told(reuse))
		}
		w.want(w.prove("demo-spa", redeem(code), other, nil), 400, "invalid_grant")
		if len(w.told(reuse)) != 1 {
			w.Error("a second use with another key is not told")
		}
		for _, bad := range []string{"x", key.Thumbprint() + "A", ""} {
			q := asks("client_id", "demo-spa")
			q.Set("dpop_jkt", bad)
			if r := w.authorize(q); r.location("error") != "invalid_request" {
				w.Errorf("%q: got %d %s", bad, r.status, r.header.Get("Location"))
			}
		}
	})
}

// TestRefreshTokensAreForTheKey is D15.
func TestRefreshTokensAreForTheKey(t *testing.T) {
	each(t, func(w *world) {
		w.client("patient", "", func(c *store.Client) { c.Public, c.RefreshGrace = true, 30 })
		key, other := jwttest.New(w, "ES256"), jwttest.New(w, "ES256")
		start := func(client string) (access, refresh string) {
			r := w.prove(client, redeem(w.code("client_id", client)), key, nil)
			w.want(r, 200, "")
			return r.field("access_token"), r.field("refresh_token")
		}
		w.sub("another key, and none, give nothing, and end nothing", func(w *world) {
			access, refresh := start("demo-spa")
			w.want(w.prove("demo-spa", again(refresh), other, nil), 400, "invalid_grant")
			w.want(w.prove("demo-spa", again(refresh), nil, nil), 400, "invalid_grant")
			if w.status(access) != oauth2.Valid || len(w.told(reuse)) != 0 {
				w.Errorf("the access token is %s, told %+v", w.status(access), w.told(reuse))
			}
			w.want(w.prove("demo-spa", again(refresh), key, nil), 200, "")
		})
		w.sub("a retry within the grace with the same key gets the same answer", func(w *world) {
			_, refresh := start("patient")
			first := w.prove("patient", again(refresh), key, nil)
			second := w.prove("patient", again(refresh), key, nil)
			if w.want(second, 200, ""); first.body != second.body || first.field("token_type") != "DPoP" {
				w.Errorf("%s, then %s", first.body, second.body)
			}
			if _, jkt, _ := w.cnf(second.field("access_token")); jkt != key.Thumbprint() {
				w.Errorf("bound to %s", jkt)
			}
		})
		for name, with := range map[string]*jwttest.Key{"another key": other, "no key": nil} {
			for _, client := range []string{"patient", "demo-web"} {
				w.sub("a replay within the grace with "+name+" is reuse by "+client, func(w *world) {
					before := len(w.told(reuse))
					_, refresh := start(client)
					r := w.prove(client, again(refresh), key, nil)
					w.want(r, 200, "")
					w.want(w.prove(client, again(refresh), with, nil), 400, "invalid_grant")
					if s := w.status(r.field("access_token")); s != oauth2.Revoked || len(w.told(reuse)) != before+1 {
						w.Errorf("the access token is %s, told %d times", s, len(w.told(reuse))-before)
					}
				})
			}
		}
		w.sub("a confidential client may change its key", func(w *world) {
			_, refresh := start("demo-web")
			r := w.prove("demo-web", again(refresh), other, nil)
			w.want(r, 200, "")
			if _, jkt, _ := w.cnf(r.field("access_token")); jkt != other.Thumbprint() {
				w.Errorf("bound to %s", jkt)
			}
		})
		w.sub("in a race of two keys one chain goes on, or none", func(w *world) {
			_, refresh := start("patient")
			replies := parallel(12, func() reply { return w.prove("patient", again(refresh), key, nil) })
			for _, r := range replies {
				if r.status != 200 || r.body != replies[0].body {
					w.Errorf("got %d %s", r.status, r.body)
				}
			}
		})
	})
}

func TestClientsThatMustBind(t *testing.T) {
	each(t, func(w *world) {
		key := jwttest.New(w, "ES256")
		mine, another := jwttest.New(w, "ES256").Certificate(w, "a").Leaf, jwttest.New(w, "ES256").Certificate(w, "a").Leaf
		w.certificates = map[string]*x509.Certificate{"mine": mine, "another": another}
		service := func(bound string) func(c *store.Client) {
			return func(c *store.Client) {
				c.RedirectURIs, c.GrantTypes, c.Scopes, c.Bound = nil, store.Words{"client_credentials"}, store.Words{"points:read"}, bound
			}
		}
		w.client("keyed", "keyed-secret", service(oauth2.BoundDPoP))
		w.client("certified", "certified-secret", service(oauth2.BoundMTLS))
		w.client("pocket", "", func(c *store.Client) { c.Public, c.Bound, c.RefreshGrace = true, oauth2.BoundMTLS, 30 })
		form := func() url.Values { return url.Values{"grant_type": {"client_credentials"}} }
		proof := func() string { return key.Proof(w, "POST", tokenURL, w.now(), nil) }
		for name, c := range map[string]struct {
			client string
			header map[string]string
			status int
			code   string
		}{
			"a key is needed":                          {"keyed", map[string]string{}, 400, "invalid_dpop_proof"},
			"a certificate in its place does not help": {"keyed", map[string]string{"X-Certificate": "mine"}, 400, "invalid_dpop_proof"},
			"a key":                               {"keyed", map[string]string{"DPoP": proof()}, 200, ""},
			"a certificate is needed":             {"certified", map[string]string{}, 400, "invalid_request"},
			"a key in its place does not help":    {"certified", map[string]string{"DPoP": proof()}, 400, "invalid_request"},
			"both can't be":                       {"certified", map[string]string{"DPoP": proof(), "X-Certificate": "mine"}, 400, "invalid_request"},
			"a certificate":                       {"certified", map[string]string{"X-Certificate": "mine"}, 200, ""},
			"a certificate that nobody asked for": {"demo-service", map[string]string{"X-Certificate": "mine"}, 200, ""},
		} {
			w.sub(name, func(w *world) {
				r := w.send("/oauth2/token", c.client, form(), c.header)
				if w.want(r, c.status, c.code); r.status != 200 {
					return
				}
				kind, jkt, x5t := w.cnf(r.field("access_token"))
				want := map[string][3]string{
					"keyed": {"DPoP", key.Thumbprint(), ""}, "certified": {"Bearer", "", jwttest.HashOf(string(mine.Raw))}, "demo-service": {"Bearer", "", ""},
				}[c.client]
				if got := [3]string{kind, jkt, x5t}; got != want || r.field("token_type") != kind {
					w.Errorf("got %v in %s, want %v", got, r.body, want)
				}
			})
		}
		w.sub("a public client's refresh token is for its certificate", func(w *world) {
			r := w.send("/oauth2/token", "pocket", redeem(w.code("client_id", "pocket")), map[string]string{"X-Certificate": "mine"})
			w.want(r, 200, "")
			refresh := r.field("refresh_token")
			w.want(w.send("/oauth2/token", "pocket", again(refresh), map[string]string{"X-Certificate": "another"}), 400, "invalid_grant")
			r = w.send("/oauth2/token", "pocket", again(refresh), map[string]string{"X-Certificate": "mine"})
			w.want(r, 200, "")
			if _, _, x5t := w.cnf(r.field("access_token")); x5t != jwttest.HashOf(string(mine.Raw)) {
				w.Errorf("bound to %s", x5t)
			}
			w.want(w.send("/oauth2/token", "pocket", again(refresh), map[string]string{"X-Certificate": "another"}), 400, "invalid_grant")
			if len(w.told(reuse)) != 1 {
				w.Errorf("told: %+v", w.told(reuse))
			}
		})
	})
}

// TestChallengesListWhatIsTaken: the algorithms of proofs, in the words of the
// metadata.
func TestChallengesListWhatIsTaken(t *testing.T) {
	algs := (&oauth2.Provider{}).ResourceMetadata(&store.Tenant{}).ProofAlgs
	if diff := cmp.Diff(algs, strings.Fields(web.ProofAlgs)); diff != "" {
		t.Error(diff)
	}
}

// TestEveryGrantIsBound: those that fosite has no handler for, too.
func TestEveryGrantIsBound(t *testing.T) {
	each(t, func(w *world) {
		televisions(w)
		services(w)
		key := jwttest.New(w, "ES256")
		bound := func(r reply) {
			w.Helper()
			if w.want(r, 200, ""); r.status != 200 {
				return
			}
			if _, jkt, _ := w.cnf(r.field("access_token")); r.field("token_type") != "DPoP" || jkt != key.Thumbprint() {
				w.Errorf("%s, bound to %q", r.body, jkt)
			}
		}
		w.sub("a device's", func(w *world) {
			d := w.device()
			form := func() url.Values {
				return url.Values{"grant_type": {oauth2.DeviceGrant}, "device_code": {d.field("device_code")}}
			}
			w.want(w.prove("demo-tv", form(), key, nil), 400, "authorization_pending")
			if err := w.letIn(d.field("user_code")); err != nil {
				w.Fatal(err)
			}
			r := w.prove("demo-tv", form(), key, nil)
			bound(r)
			w.want(w.prove("demo-tv", again(r.field("refresh_token")), nil, nil), 400, "invalid_grant")
			bound(w.prove("demo-tv", again(r.field("refresh_token")), key, nil))
		})
		w.sub("a service's that acts for a customer", func(w *world) {
			access, _ := w.tokens("demo-web")
			bound(w.prove("orders", exchange(access), key, nil))
		})
	})
}
