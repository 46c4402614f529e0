package edge

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// certified serves a name of the certificate that a request comes with, over TLS
// that asks for one, and in clear.
func certified(t *testing.T, header string, trusted ...netip.Prefix) (overTLS, clear string) {
	t.Helper()
	tenant := &store.Tenant{ID: "demo"}
	o := &Origins{
		Trusted: trusted, CertificateHeader: header, Tenant: func(string) (*store.Tenant, bool) { return tenant, true },
		Refuse: func(_ *fiber.Ctx, p *web.Problem) error { return p },
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(func(c *fiber.Ctx) error { web.SetEvent(c, &web.Event{}); return c.Next() }, o.Step())
	app.Get("/", func(c *fiber.Ctx) error {
		cert := web.OriginOf(c).Certificate
		if cert == nil {
			return c.SendString("none")
		}
		return c.SendString(cert.Subject.CommonName)
	})
	serve := func(wrap func(net.Listener) net.Listener) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- app.Server().Serve(wrap(ln)) }()
		t.Cleanup(func() {
			if err := ln.Close(); err != nil {
				t.Error(err)
			}
			<-done
		})
		return ln.Addr().String()
	}
	own := jwttest.New(t, "ES256").Certificate(t, "server")
	app.Handler() // the routes are read once, before both listen
	overTLS = "https://" + serve(func(ln net.Listener) net.Listener {
		return tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS13})
	})
	return overTLS, "http://" + serve(func(ln net.Listener) net.Listener { return ln })
}

// named asks as who has the certificate; nil: as nobody.
func named(t *testing.T, url string, cert *tls.Certificate, header http.Header) string {
	t.Helper()
	c := &tls.Config{InsecureSkipVerify: true} // the server's name is not the question
	if cert != nil {
		c.Certificates = []tls.Certificate{*cert}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func forwarded(cert tls.Certificate) (rfc9440, escaped string) {
	der := cert.Certificate[0]
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return ":" + base64.StdEncoding.EncodeToString(der) + ":", url.PathEscape(string(block))
}

func TestCertificates(t *testing.T) {
	alice, mallory := jwttest.New(t, "ES256").Certificate(t, "alice"), jwttest.New(t, "RS256").Certificate(t, "mallory")
	rfc, escaped := forwarded(alice)
	proxy := netip.MustParsePrefix("127.0.0.1/32")
	elsewhere := netip.MustParsePrefix("10.0.0.0/8")
	for name, tc := range map[string]struct {
		header  string
		trusted netip.Prefix
		cert    *tls.Certificate
		sent    http.Header
		inClear bool
		want    string
	}{
		"none":                                  {"", elsewhere, nil, nil, false, "none"},
		"one that nobody has issued":            {"", elsewhere, &alice, nil, false, "alice"},
		"a header of a stranger":                {"Client-Cert", elsewhere, nil, http.Header{"Client-Cert": {rfc}}, false, "none"},
		"a header of a stranger, in clear":      {"Client-Cert", elsewhere, nil, http.Header{"Client-Cert": {rfc}}, true, "none"},
		"a header beside one's own":             {"Client-Cert", elsewhere, &mallory, http.Header{"Client-Cert": {rfc}}, false, "mallory"},
		"a header of a proxy":                   {"Client-Cert", proxy, nil, http.Header{"Client-Cert": {rfc}}, true, "alice"},
		"one of nginx":                          {"X-Ssl-Cert", proxy, nil, http.Header{"X-Ssl-Cert": {escaped}}, true, "alice"},
		"a proxy with a certificate of its own": {"Client-Cert", proxy, &mallory, http.Header{"Client-Cert": {rfc}}, false, "alice"},
		"a proxy that forwards none":            {"Client-Cert", proxy, &mallory, nil, false, "none"},
		"a proxy, and no header is configured":  {"", proxy, &mallory, http.Header{"Client-Cert": {rfc}}, false, "none"},
		"another header":                        {"X-Ssl-Cert", proxy, nil, http.Header{"Client-Cert": {rfc}}, true, "none"},
		"the header twice":                      {"Client-Cert", proxy, nil, http.Header{"Client-Cert": {rfc, rfc}}, true, "none"},
		"junk":                                  {"Client-Cert", proxy, nil, http.Header{"Client-Cert": {":AAAA:"}}, true, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			overTLS, clear := certified(t, tc.header, tc.trusted)
			to := overTLS
			if tc.inClear {
				to = clear
			}
			if got := named(t, to, tc.cert, tc.sent); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestForwardedCertificate(t *testing.T) {
	cert := jwttest.New(t, "EdDSA").Certificate(t, "alice")
	rfc, escaped := forwarded(cert)
	pair, _ := url.PathUnescape(escaped + escaped)
	for name, tc := range map[string]struct {
		value string
		good  bool
	}{
		"RFC 9440":            {rfc, true},
		"percent-encoded PEM": {escaped, true},
		"PEM in one line":     {strings.ReplaceAll(escaped, "%0A", "%0a"), true},
		"empty":               {"", false},
		"(null)":              {"(null)", false},
		"without its end":     {strings.TrimSuffix(rfc, ":"), false},
		"colons alone":        {"::", false},
		"one colon":           {":", false},
		"two":                 {rfc + ", " + rfc, false},
		"two in PEM":          {url.PathEscape(pair), false},
		"a key":               {url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: cert.Certificate[0]}))), false},
		"half an escape":      {escaped + "%0", false},
		"too large":           {":" + strings.Repeat("A", maxCertificate) + ":", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := forwardedCertificate(tc.value)
			if (got != nil) != tc.good || got != nil && !bytes.Equal(got.Raw, cert.Certificate[0]) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func FuzzForwardedCertificate(f *testing.F) {
	rfc, escaped := forwarded(jwttest.New(f, "ES256").Certificate(f, "alice"))
	for _, s := range []string{rfc, escaped, "::", ":AAAA:", "-----BEGIN%20CERTIFICATE-----"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := forwardedCertificate(value)
		if got == nil {
			return
		}
		if again, err := x509.ParseCertificate(got.Raw); err != nil || !again.Equal(got) || len(value) > maxCertificate {
			t.Errorf("%q gives what is no certificate: %v", value, err)
		}
	})
}
