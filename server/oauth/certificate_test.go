package oauth_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/store"
)

// show sends a token request of a client with a certificate of this name.
func (w *world) show(certificate, client string, changes ...string) reply {
	w.Helper()
	form := with(url.Values{"grant_type": {"client_credentials"}, "client_id": {client}}, changes...)
	h := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "X-Certificate": certificate}
	return w.do("POST", "/oauth2/token", form.Encode(), h)
}

// TestCertificatesOfAuthorities: RFC 8705 §2.1.
func TestCertificatesOfAuthorities(t *testing.T) {
	each(t, func(w *world) {
		k, other := jwttest.New(w, "ES256"), newCA()
		w.certificates = map[string]*x509.Certificate{
			"good":      authority().issue(w, k, nil),
			"renewed":   authority().issue(w, jwttest.New(w, "RS256"), nil),
			"another's": authority().issue(w, k, func(c *x509.Certificate) { c.Subject, c.DNSNames = pkix.Name{CommonName: "else"}, nil }),
			"expired":   authority().issue(w, k, func(c *x509.Certificate) { c.NotAfter = w.now().Add(-time.Second) }),
			"not yet":   authority().issue(w, k, func(c *x509.Certificate) { c.NotBefore = w.now().Add(time.Second) }),
			"a server's": authority().issue(w, k, func(c *x509.Certificate) {
				c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
			}),
			"of another authority": other.issue(w, k, nil),
			"of itself":            itself(k).issue(w, k, nil),
		}
		for id, subject := range map[string]string{"by-name": "dn:O=Demo,CN=app", "by-reversed-name": "dn:CN=app,O=Demo", "by-dns": "dns:app.demo.example"} {
			w.client(id, "", func(c *store.Client) {
				c.AuthMethod, c.TLSSubject, c.GrantTypes = "tls_client_auth", subject, append(c.GrantTypes, "client_credentials")
			})
		}
		for name, want := range map[string]int{
			"good": 200, "renewed": 200, "": 401, "another's": 401, "expired": 401, "not yet": 401, "a server's": 401, "of another authority": 401, "of itself": 401,
		} {
			w.sub(name, func(w *world) {
				for _, client := range []string{"by-reversed-name", "by-dns"} {
					if r := w.show(name, client); r.status != want || want == 401 && r.error() != "invalid_client" {
						w.Errorf("%s: %d %s", client, r.status, r.body)
					}
				}
			})
		}
		for name, r := range map[string]reply{
			"the name the wrong way round": w.show("good", "by-name"),
			"an unknown client":            w.show("good", "nobody"),
			"a client with a secret":       w.show("good", "demo-service"),
			"another tenant's client":      w.show("good", "other-web"),
			"with a secret too":            w.show("good", "by-dns", "client_secret", "x"),
		} {
			if r.status != 401 || r.error() != "invalid_client" {
				w.Errorf("%s: %d %s", name, r.status, r.body)
			}
		}
		w.secret("demo", "by-dns", "by-dns-secret")
		w.want(w.post("/oauth2/token", "by-dns", url.Values{"grant_type": {"client_credentials"}}), 401, "invalid_client")
		w.want(w.show("good", "by-dns", "client_assertion", w.assertion(k, "by-dns", nil), "client_assertion_type", byAssertion), 401, "invalid_client")
	})
}

// TestSelfSignedCertificates: RFC 8705 §2.2. The key counts, and the very
// certificate where one is registered.
func TestSelfSignedCertificates(t *testing.T) {
	each(t, func(w *world) {
		k, second := jwttest.New(w, "ES256"), jwttest.New(w, "RS256")
		self := func(k *jwttest.Key, edit func(*x509.Certificate)) *x509.Certificate {
			return itself(k).issue(w, k, edit)
		}
		w.certificates = map[string]*x509.Certificate{
			"good": self(k, nil), "renewed": self(k, nil), "of the second key": self(second, nil), "of a stranger": self(jwttest.New(w, "ES256"), nil),
			"expired":     self(k, func(c *x509.Certificate) { c.NotAfter = w.now().Add(-time.Second) }),
			"of a server": self(k, func(c *x509.Certificate) { c.ExtKeyUsage = nil }),
		}
		pinned := k.JWK()
		pinned["x5c"] = []string{base64.StdEncoding.EncodeToString(w.certificates["good"].Raw)}
		set, err := json.Marshal(map[string]any{"keys": []any{pinned}})
		if err != nil {
			w.Fatal(err)
		}
		register := func(id string, edit func(c *store.Client)) {
			w.client(id, "", func(c *store.Client) {
				c.AuthMethod, c.GrantTypes = "self_signed_tls_client_auth", append(c.GrantTypes, "client_credentials")
				edit(c)
			})
		}
		register("by-key", func(c *store.Client) { c.JWKS = setOf(w, k, second) })
		register("by-certificate", func(c *store.Client) { c.JWKS = string(set) })
		register("by-address", func(c *store.Client) { c.JWKSURI = "https://app.example/keys" })
		w.published.publish("https://app.example/keys", setOf(w, second, k))
		for name, want := range map[string][3]int{ // by key, by certificate, at an address
			"good": {200, 200, 200}, "renewed": {200, 401, 200}, "of the second key": {200, 401, 200}, "of a server": {200, 401, 200},
			"of a stranger": {401, 401, 401}, "expired": {401, 401, 401}, "": {401, 401, 401},
		} {
			for i, client := range []string{"by-key", "by-certificate", "by-address"} {
				if r := w.show(name, client); r.status != want[i] || want[i] == 401 && r.error() != "invalid_client" {
					w.Errorf("%q for %s: %d %s", name, client, r.status, r.body)
				}
			}
		}
		if n := w.published.times(); n != 1 {
			w.Errorf("the address was asked %d times", n)
		}
	})
}
