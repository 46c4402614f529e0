package tests

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/tests/harness"
)

// certified is a client over TLS, with a certificate or without.
type certified struct {
	t    *testing.T
	base string
	http *http.Client
}

func certifiedAt(t *testing.T, s *harness.Server, certs ...tls.Certificate) *certified {
	t.Helper()
	c := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, Certificates: certs, // the client's certificate is the question, not the server's
	}}}
	t.Cleanup(c.CloseIdleConnections)
	return &certified{t, s.URL, c}
}

// do sends a request and reads the answer as JSON.
func (c *certified) do(method, path string, header http.Header, body string) (status int, challenge string, answer map[string]any) {
	c.t.Helper()
	r := must(http.NewRequest(method, c.base+path, strings.NewReader(body)))(c.t)
	r.Header = header
	res := must(c.http.Do(r))(c.t)
	defer res.Body.Close()
	raw := must(io.ReadAll(res.Body))(c.t)
	_ = json.Unmarshal(raw, &answer) // what is no JSON has no members
	return res.StatusCode, res.Header.Get("WWW-Authenticate"), answer
}

func (c *certified) form(path, user, password string, form url.Values) (int, map[string]any) {
	c.t.Helper()
	r := http.Request{Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	if password == "" {
		form.Set("client_id", user)
	} else {
		r.SetBasicAuth(user, url.QueryEscape(password))
	}
	status, _, answer := c.do(http.MethodPost, path, r.Header, form.Encode())
	return status, answer
}

func (c *certified) balance(token string) (int, string) {
	c.t.Helper()
	status, challenge, _ := c.do(http.MethodGet, "/api/points?customer_id=cus_alice", http.Header{"Authorization": {"Bearer " + token}}, "")
	return status, challenge
}

// TestMTLS: certificate-bound tokens (RFC 8705 §3) on the port that everyone
// uses. Nobody has issued the certificates.
func TestMTLS(t *testing.T) {
	onDatabases(t, func(t *testing.T, database string) {
		cert, key := certificate(t)
		s := must(harness.LaunchTLS(t.TempDir(), cert, key, "--database", database))(t)
		t.Cleanup(s.Kill)
		mine, theirs := jwttest.New(t, "ES256").Certificate(t, "till"), jwttest.New(t, "RS256").Certificate(t, "till")
		till, thief, nobody := certifiedAt(t, s, mine), certifiedAt(t, s, theirs), certifiedAt(t, s)

		client := must(json.Marshal(map[string]any{
			"id": "till", "name": "Till", "trusted": true, "grant_types": words("client_credentials"), "scopes": words("points:read"), "tls_client_certificate_bound_access_tokens": true,
		}))(t)
		status, _, made := nobody.do(http.MethodPost, "/admin/api/clients", http.Header{
			"Authorization": {"Bearer " + s.Demo.AdminToken}, "Content-Type": {"application/json"}, "Idempotency-Key": {harness.NewKey()},
		}, string(client))
		if status != http.StatusCreated {
			t.Fatal(status, made)
		}
		for _, path := range []string{serverMetadata, resourceMetadata} {
			if _, _, m := nobody.do(http.MethodGet, path, nil, ""); m["tls_client_certificate_bound_access_tokens"] != true {
				t.Errorf("%s: %v", path, m)
			}
		}
		secret := made["client_secret"].(string)
		grant := func() url.Values { return url.Values{"grant_type": {"client_credentials"}} }
		if status, a := nobody.form("/oauth2/token", "till", secret, grant()); status != 400 || a["error"] != "invalid_request" {
			t.Errorf("without a certificate: %d %v", status, a)
		}
		status, got := till.form("/oauth2/token", "till", secret, grant())
		if status != 200 || got["token_type"] != "Bearer" {
			t.Fatalf("with a certificate: %d %v", status, got)
		}
		token := got["access_token"].(string)
		_, told := nobody.form("/oauth2/introspect", "demo-gateway", "demo-gateway-secret", url.Values{"token": {token}})
		if cnf, _ := told["cnf"].(map[string]any); cnf["x5t#S256"] != jwttest.HashOf(string(mine.Certificate[0])) {
			t.Errorf("introspection: %v", told)
		}
		for name, c := range map[string]struct {
			as   *certified
			want int
		}{"its own certificate": {till, 200}, "another certificate": {thief, 401}, "no certificate": {nobody, 401}} {
			if status, challenge := c.as.balance(token); status != c.want || (status == 401) != strings.Contains(challenge, `error="invalid_token"`) {
				t.Errorf("%s: %d, WWW-Authenticate: %s", name, status, challenge)
			}
		}
		forged := http.Header{"Authorization": {"Bearer " + token}, "Client-Cert": {":" + base64.StdEncoding.EncodeToString(mine.Certificate[0]) + ":"}}
		if status, _, _ := nobody.do(http.MethodGet, "/api/points?customer_id=cus_alice", forged, ""); status != 401 {
			t.Errorf("a certificate in a stranger's header: %d", status)
		}
	})
}

// TestNoCertificates: where they are not asked for, nothing says that they are.
func TestNoCertificates(t *testing.T) {
	cert, key := certificate(t)
	s := must(harness.LaunchTLS(t.TempDir(), cert, key, "--tls-client-certs", "off"))(t)
	t.Cleanup(s.Kill)
	asked := false
	c := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // the client's certificate is the question, not the server's
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &tls.Certificate{}, nil
		},
	}}}
	t.Cleanup(c.CloseIdleConnections)
	_, _, m := (&certified{t, s.URL, c}).do(http.MethodGet, serverMetadata, nil, "")
	if asked || m["tls_client_certificate_bound_access_tokens"] != false {
		t.Errorf("asked: %v, %v", asked, m)
	}
}
