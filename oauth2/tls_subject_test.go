package oauth2

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/url"
	"strings"
	"testing"
)

func TestSubjectsOfCertificates(t *testing.T) {
	spiffe, err := url.Parse("spiffe://demo/app")
	if err != nil {
		t.Fatal(err)
	}
	cert := certificate(t, testKeys()["EC"], func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: `Jim "Big", James #1`, Organization: []string{"Demo + Söhne"}, Country: []string{"NL"}}
		c.DNSNames, c.URIs = []string{"app.demo.example", "*.wild.example"}, []*url.URL{spiffe}
		c.IPAddresses, c.EmailAddresses = []net.IP{net.IPv4(10, 0, 0, 1), net.ParseIP("2001:db8::1")}, []string{"App@demo.example"}
	})
	for subject, want := range map[string]bool{
		`dn:CN=Jim \"Big\"\, James #1,O=Demo \+ Söhne,C=NL`:          true,
		`dn:cn=Jim \22Big\22\2c James #1,o=Demo \2B S\c3\b6hne,c=NL`: true,
		`dn:2.5.4.3=Jim \"Big\"\, James #1,O=Demo \+ Söhne,C=NL`:     true,
		`dn:C=NL,O=Demo \+ Söhne,CN=Jim \"Big\"\, James #1`:          false, // the order of the bytes, which is not that of the text
		`dn:CN=jim \"big\"\, james #1,O=Demo \+ Söhne,C=NL`:          false,
		`dn:CN=Jim \"Big\"\, James #1,O=Demo \+ Söhne`:               false,
		`dn:CN=Jim \"Big\"\, James #1+O=Demo \+ Söhne,C=NL`:          false,
		`dn:O=Jim \"Big\"\, James #1,O=Demo \+ Söhne,C=NL`:           false,
		"dns:app.demo.example":                                       true,
		"dns:x.wild.example":                                         false,
		"dns:demo.example":                                           false,
		"uri:spiffe://demo/app":                                      true,
		"uri:spiffe://demo/app2":                                     false,
		"ip:10.0.0.1":                                                true,
		"ip:2001:db8::1":                                             true,
		"ip:10.0.0.2":                                                false,
		"email:App@demo.example":                                     true,
		"email:app@demo.example":                                     false,
		"email:app.demo.example@x":                                   false,
	} {
		s, err := parseTLSSubject(subject)
		if err != nil || s.matches(cert) != want {
			t.Errorf("%s: matches %t, %v", subject, !want, err)
		}
	}
	bare := certificate(t, testKeys()["EC"], func(c *x509.Certificate) { c.Subject = pkix.Name{} })
	for _, subject := range []string{"dn:CN=app", "dns:app.demo.example", "ip:10.0.0.1"} {
		if s, err := parseTLSSubject(subject); err != nil || s.matches(bare) {
			t.Errorf("%s is a certificate's of nobody, %v", subject, err)
		}
	}
}

func TestSubjectsThatAreNone(t *testing.T) {
	for _, s := range []string{
		"", "dn:", "dns:", "CN=app", "app.example", "cn:app", "DN:CN=app", "dn:CN", "dn:CN=", "dn:=app", "dn:XX=app", "dn:CN=app,", "dn:CN=app+",
		"dn:CN=#0401", "dn:CN= app", "dn:CN=app ", "dn:CN=app, O=x", `dn:CN=a\`, `dn:CN=a\x`, `dn:CN=a\4`, `dn:CN=a;O=b`, `dn:CN="a"`, "dn:CN=a<b", "dn:1.=a", "dn:3.1=a",
		"dns:*.example", "dns:app.example.", "dns:APP.example", "dns:app example", "uri:app", "uri:https://x y", "ip:10.0.0", "ip:010.0.0.1", "ip:fe80::1%eth0", "ip:2001:DB8::1",
		"email:app", "email:a b@x", "email:a@b@c", "dns:" + strings.Repeat("a", 600),
	} {
		if got, err := parseTLSSubject(s); err == nil {
			t.Errorf("%q is %+v", s, got)
		}
	}
}

func FuzzTLSSubject(f *testing.F) {
	cert := certificate(f, testKeys()["EC"], func(c *x509.Certificate) { c.DNSNames = []string{"app.example"} })
	for _, s := range []string{`dn:CN=a\,b+O=x\ ,C=NL`, "dn:2.5.4.3=app", "dns:app.example", "uri:spiffe://a/b", "ip:::1", "email:a@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseTLSSubject(s)
		if err != nil {
			return
		}
		if got.matches(cert) && s != "dns:app.example" && !strings.HasPrefix(s, "dn:") {
			t.Errorf("%q matches", s)
		}
		for _, part := range got.name {
			if len(part) == 0 {
				t.Errorf("%q has an empty part", s)
			}
		}
	})
}
