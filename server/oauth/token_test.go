package oauth_test

import (
	"context"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

// guarded checks what every answer of an endpoint for clients must have.
func (w *world) guarded(r reply) {
	w.Helper()
	h := r.header
	if h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != "no-cache" || h.Get("Content-Type") != "application/json" {
		w.Errorf("headers: %v", h)
	}
	if r.status == 401 && !strings.HasPrefix(h.Get("WWW-Authenticate"), `Basic realm="`+issuer) {
		w.Errorf("401 with WWW-Authenticate %q", h.Get("WWW-Authenticate"))
	}
	if strings.ContainsAny(r.field("error_description"), `"\`) {
		w.Errorf("description %q", r.field("error_description"))
	}
}

func TestCodeForTokens(t *testing.T) {
	each(t, func(w *world) {
		r := w.post("/oauth2/token", "demo-web", redeem(w.code()))
		w.guarded(r)
		if r.status != 200 || r.field("token_type") != "Bearer" || r.field("scope") != "points:read points:write offline_access" ||
			!strings.Contains(r.body, `"expires_in":900`) || !strings.HasPrefix(r.field("access_token"), "pga_") || !strings.HasPrefix(r.field("refresh_token"), "pgr_") {
			w.Fatalf("got %d %s", r.status, r.body)
		}
		got, err := w.provider.Lookup(context.Background(), r.field("access_token"))
		want := &oauth2.Token{
			Tenant: "demo", ClientID: "demo-web", SubjectType: "customer", Subject: "cus_alice",
			Scopes: []string{"points:read", "points:write", "offline_access"}, Audience: issuer + "/api", Roles: []string{},
			IssuedAt: w.now(), ExpiresAt: w.now().Add(15 * time.Minute), AuthTime: w.now(), AMR: []string{"pwd"}, ACR: oauth2.SingleFactor, Status: oauth2.Valid, LastUsedAt: w.now(),
		}
		if got != nil {
			want.GrantID = got.GrantID
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			w.Errorf("%v %s", err, diff)
		}
		w.sub("without offline_access there is no refresh token", func(w *world) {
			r := w.post("/oauth2/token", "demo-web", redeem(w.code("scope", "points:read")))
			if r.status != 200 || strings.Contains(r.body, "refresh_token") {
				w.Errorf("got %d %s", r.status, r.body)
			}
		})
		w.sub("a client without the refresh grant is not asked for offline_access", func(w *world) {
			w.client("short", "", func(c *store.Client) { c.Public, c.GrantTypes = true, store.Words{"authorization_code"} })
			f := w.flow(asks("client_id", "short"))
			if diff := cmp.Diff([]string{"points:read", "points:write"}, f.Scopes); diff != "" {
				w.Error(diff)
			}
		})
		w.sub("an address that was not sent need not be repeated", func(w *world) {
			if r := w.post("/oauth2/token", "demo-web", redeem(w.code("redirect_uri", ""), "redirect_uri", "")); r.status != 200 {
				w.Errorf("got %d %s", r.status, r.body)
			}
		})
		w.sub("an expired token is known for a while", func(w *world) {
			w.pass(15*time.Minute - time.Microsecond)
			if s := w.status(r.field("access_token")); s != oauth2.Valid {
				w.Errorf("in its last moment: %s", s)
			}
			w.pass(time.Microsecond)
			if s := w.status(r.field("access_token")); s != oauth2.Expired {
				w.Errorf("at its end: %s", s)
			}
		})
	})
}

func TestCodesThatGiveNothing(t *testing.T) {
	each(t, func(w *world) {
		w.client("second", "second-secret", nil)
		for name, c := range map[string]struct {
			client  string
			changes []string
			status  int
			code    string
		}{
			"unknown":                 {"demo-web", []string{"code", "pgc_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43)}, 400, "invalid_grant"},
			"garbage":                 {"demo-web", []string{"code", "garbage"}, 400, "invalid_grant"},
			"missing":                 {"demo-web", []string{"code", ""}, 400, "invalid_request"},
			"another client's":        {"second", nil, 400, "invalid_grant"},
			"address missing":         {"demo-web", []string{"redirect_uri", ""}, 400, "invalid_grant"},
			"another address":         {"demo-web", []string{"redirect_uri", callback + "/"}, 400, "invalid_grant"},
			"verifier missing":        {"demo-web", []string{"code_verifier", ""}, 400, "invalid_grant"},
			"verifier wrong":          {"demo-web", []string{"code_verifier", verifier + "1"}, 400, "invalid_grant"},
			"verifier too short":      {"demo-web", []string{"code_verifier", verifier[:42]}, 400, "invalid_grant"},
			"verifier too long":       {"demo-web", []string{"code_verifier", strings.Repeat("a", 129)}, 400, "invalid_grant"},
			"verifier of odd letters": {"demo-web", []string{"code_verifier", strings.Repeat("ü", 43)}, 400, "invalid_grant"},
			"challenge as verifier":   {"demo-web", []string{"code_verifier", challenge(verifier)}, 400, "invalid_grant"},
			"another resource":        {"demo-web", []string{"resource", "http://other.localhost/api"}, 400, "invalid_target"},
			"client_id of another":    {"demo-web", []string{"client_id", "second"}, 400, "invalid_request"},
		} {
			w.sub(name, func(w *world) {
				r := w.post("/oauth2/token", c.client, redeem(w.code(), c.changes...))
				w.want(r, c.status, c.code)
				w.guarded(r)
			})
		}
		w.sub("expired", func(w *world) {
			code := w.code()
			w.pass(oauth2.CodeLifetime)
			w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 400, "invalid_grant")
		})
		w.sub("in its last second it still works", func(w *world) {
			code := w.code()
			w.pass(oauth2.CodeLifetime - time.Second)
			w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 200, "")
		})
		w.sub("as a token of another kind", func(w *world) {
			code := w.code()
			body := strings.TrimPrefix(code, "pgc_")
			w.want(w.post("/oauth2/token", "demo-web", again("pgr_"+body)), 400, "invalid_grant")
			for _, token := range []string{code, "pga_" + body} {
				if s := w.status(token); s != "invalid" {
					w.Errorf("as bearer: %s", s)
				}
			}
		})
		w.sub("in another spelling of its bytes", func(w *world) {
			code := w.code()
			for _, spelled := range []string{code[:20] + "\n" + code[20:], code + "=", " " + code, strings.ToUpper(code[:4]) + code[4:], code[:len(code)-1] + "_"} {
				w.want(w.post("/oauth2/token", "demo-web", redeem(spelled)), 400, "invalid_grant")
			}
		})
		w.sub("after its grant was revoked", func(w *world) {
			code := w.code()
			w.exec(`UPDATE grants SET revoked_at = 1, revoked_by = 'test' WHERE revoked_at IS NULL AND created_at = (SELECT MAX(created_at) FROM grants)
				AND id IN (SELECT grant_id FROM codes WHERE used_at IS NULL)`)
			w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 400, "invalid_grant")
		})
		w.sub("of another tenant", func(w *world) {
			h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "X-Tenant": "other", "Authorization": basic("other-web", "other-web-secret")}
			w.want(w.do("POST", "/oauth2/token", redeem(w.code()).Encode(), h), 400, "invalid_grant")
		})
	})
}

// TestAWrongVerifierChangesNothing: fosite forgets the challenge before it
// compares, so that a second try without a verifier could succeed.
func TestAWrongVerifierChangesNothing(t *testing.T) {
	each(t, func(w *world) {
		code := w.code()
		w.want(w.post("/oauth2/token", "demo-web", redeem(code, "code_verifier", strings.Repeat("x", 43))), 400, "invalid_grant")
		w.want(w.post("/oauth2/token", "demo-web", redeem(code, "code_verifier", "")), 400, "invalid_grant")
		w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 200, "")
	})
}

func TestACodeUsedTwice(t *testing.T) {
	each(t, func(w *world) {
		code := w.code()
		first := w.post("/oauth2/token", "demo-web", redeem(code))
		w.pass(30 * time.Minute) // later than the code's own end
		second := w.post("/oauth2/token", "demo-web", redeem(code))
		w.want(second, 400, "invalid_grant")
		w.want(w.post("/oauth2/token", "demo-web", redeem(code)), 400, "invalid_grant")
		if s := w.status(first.field("access_token")); s != oauth2.Revoked {
			w.Errorf("the access token is %s", s)
		}
		w.want(w.post("/oauth2/token", "demo-web", again(first.field("refresh_token"))), 400, "invalid_grant")
		if len(w.told(reuse)) != 1 || w.told(reuse)[0].Type != "code" || w.told(reuse)[0].Subject != "cus_alice" || w.told(reuse)[0].ClientID != "demo-web" {
			w.Errorf("told: %+v", w.told(reuse))
		}
	})
}

func TestTokenRequestsThatAreRefused(t *testing.T) {
	each(t, func(w *world) {
		form := "application/x-www-form-urlencoded"
		own := url.Values{"grant_type": {"client_credentials"}}.Encode()
		for name, c := range map[string]struct {
			path, body, kind string
			status           int
			code             string
		}{
			"JSON":                  {"", `{"grant_type":"client_credentials"}`, "application/json", 400, "invalid_request"},
			"multipart":             {"", own, "multipart/form-data; boundary=x", 400, "invalid_request"},
			"no content type":       {"", own, "", 400, "invalid_request"},
			"an empty body":         {"", "", form, 400, "invalid_request"},
			"parameters in the URL": {"?" + own, "", form, 400, "invalid_request"},
			"a secret in the URL":   {"?client_secret=x", own, form, 400, "invalid_request"},
			"too large":             {"", own + "&x=" + strings.Repeat("a", 17<<10), form, 413, "invalid_request"},
			"too many":              {"", own + strings.Repeat("&a", 65), form, 400, "invalid_request"},
			"not UTF-8":             {"", own + "&x=%ff", form, 400, "invalid_request"},
			"NUL":                   {"", own + "&x=%00", form, 400, "invalid_request"},
			"half an escape":        {"", own + "&x=%2", form, 400, "invalid_request"},
			"twice":                 {"", own + "&grant_type=client_credentials", form, 400, "invalid_request"},
			"an unknown one twice":  {"", own + "&x=1&x=1", form, 400, "invalid_request"},
			"no grant type":         {"", "scope=points:read", form, 400, "invalid_request"},
			"password":              {"", "grant_type=password&username=a&password=b", form, 400, "unsupported_grant_type"},
			"implicit":              {"", "grant_type=implicit", form, 400, "unsupported_grant_type"},
			"two grant types":       {"", "grant_type=authorization_code+refresh_token&code=x", form, 400, "unsupported_grant_type"},
			"another case":          {"", "grant_type=Client_Credentials", form, 400, "unsupported_grant_type"},
		} {
			w.sub(name, func(w *world) {
				h := map[string]string{"Authorization": basic("demo-service", "demo-service-secret")}
				if c.kind != "" {
					h["Content-Type"] = c.kind
				}
				r := w.do("POST", "/oauth2/token"+c.path, c.body, h)
				w.want(r, c.status, c.code)
				w.guarded(r)
			})
		}
		w.sub("packed", func(w *world) {
			h := map[string]string{"Authorization": basic("demo-service", "demo-service-secret"), "Content-Type": form, "Content-Encoding": "gzip"}
			w.want(w.do("POST", "/oauth2/token", own, h), 400, "invalid_request")
		})
		w.sub("GET", func(w *world) {
			if r := w.do("GET", "/oauth2/token?"+own, "", nil); r.status != 405 || r.header.Get("Allow") != "POST" {
				w.Errorf("got %d, Allow %q", r.status, r.header.Get("Allow"))
			}
		})
	})
}

func TestClientCredentials(t *testing.T) {
	each(t, func(w *world) {
		w.client("shop", "shop-secret", func(c *store.Client) { c.GrantTypes = append(c.GrantTypes, "client_credentials") })
		ask := func(changes ...string) url.Values {
			return with(url.Values{"grant_type": {"client_credentials"}}, changes...)
		}
		for name, c := range map[string]struct {
			client string
			form   url.Values
			status int
			code   string
			scope  string
		}{
			"what is asked for":                   {"demo-service", ask("scope", "points:read"), 200, "", "points:read"},
			"all where nothing is asked for":      {"demo-service", ask(), 200, "", "points:read points:write"},
			"only what is for clients themselves": {"shop", ask(), 200, "", "points:read points:write"},
			"not what is for people":              {"shop", ask("scope", "points:transfer"), 400, "invalid_scope", ""},
			"not to stay signed in":               {"shop", ask("scope", "points:read offline_access"), 400, "invalid_scope", ""},
			"not more than registered":            {"demo-service", ask("scope", "points:read admin"), 400, "invalid_scope", ""},
			"not in another case":                 {"demo-service", ask("scope", "POINTS:READ"), 400, "invalid_scope", ""},
			"not elsewhere":                       {"demo-service", ask("resource", "https://elsewhere.example"), 400, "invalid_target", ""},
			"not to a public client":              {"demo-spa", ask(), 400, "unauthorized_client", ""},
			"not to a client of another kind":     {"demo-web", ask(), 400, "unauthorized_client", ""},
			"not to one without scopes":           {"demo-gateway", ask(), 400, "unauthorized_client", ""},
		} {
			w.sub(name, func(w *world) {
				r := w.post("/oauth2/token", c.client, c.form)
				w.want(r, c.status, c.code)
				w.guarded(r)
				if r.field("scope") != c.scope || r.field("refresh_token") != "" {
					w.Errorf("got %s", r.body)
				}
			})
		}
		w.sub("as a grant of its own that can be revoked", func(w *world) {
			token := w.post("/oauth2/token", "demo-service", ask()).field("access_token")
			got, err := w.provider.Lookup(context.Background(), token)
			if err != nil || got.SubjectType != "client" || got.Subject != "demo-service" || !got.Trusted || !got.AuthTime.IsZero() {
				w.Fatalf("%+v %v", got, err)
			}
			w.exec(`UPDATE grants SET revoked_at = 1 WHERE id = '` + got.GrantID + `'`)
			if s := w.status(token); s != oauth2.Revoked {
				w.Errorf("got %s", s)
			}
		})
	})
}

// TestTokensAreKeptAsHashes: a token holds 256 random bits, and the database nothing
// that one could be made of.
func TestTokensAreKeptAsHashes(t *testing.T) {
	each(t, func(w *world) {
		access, refresh := w.tokens("demo-web")
		for _, token := range []string{access, refresh} {
			key, signature, ok := strings.Cut(token[4:], ".")
			raw, err := base64.RawURLEncoding.DecodeString(key)
			if !ok || err != nil || len(raw) != 32 {
				w.Errorf("%s: %d bytes, %v", token, len(raw), err)
			}
			for _, table := range []string{"access_tokens", "refresh_tokens", "codes"} {
				var n int
				err := w.db.Get(context.Background(), &n, `SELECT COUNT(*) FROM `+table+` WHERE hash = ? OR hash = ?`, []byte(token), []byte(signature))
				if err != nil || n != 0 {
					w.Errorf("%s holds a token in clear: %d, %v", table, n, err)
				}
			}
		}
	})
}
