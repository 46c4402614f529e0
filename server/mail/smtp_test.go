package mail_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/pointgate/pointgate/server/mail"
	"github.com/pointgate/pointgate/store"
)

// post is a real SMTP server with a certificate of its own for "localhost" and
// 127.0.0.1.
type post struct {
	addr string
	tls  *tls.Config // what a client has to trust

	mu       sync.Mutex
	refusals []error // for the next mails, one after the other; nil takes it
	taken    []letter
}

type letter struct {
	from, to, user, text string
	secure               bool
}

func (p *post) letters() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letter(nil), p.taken...)
}

func newPost(t *testing.T, implicit bool, edit func(s *smtp.Server)) *post {
	t.Helper()
	p := &post{}
	cert, pool := certificate(t)
	p.tls = &tls.Config{RootCAs: pool}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &visit{post: p, conn: c}, nil }))
	s.Domain, s.TLSConfig = "localhost", &tls.Config{Certificates: []tls.Certificate{cert}}
	s.ReadTimeout, s.WriteTimeout = 10*time.Second, 10*time.Second
	if edit != nil {
		edit(s)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = ln.Addr().String()
	if implicit {
		ln = tls.NewListener(ln, s.TLSConfig)
	}
	go func() { _ = s.Serve(ln) }()
	t.Cleanup(func() { _ = s.Close() })
	return p
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"post.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// visit is one connection to the post.
type visit struct {
	post *post
	conn *smtp.Conn
	now  letter
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "postman" || password != "p@ss:word" {
			return smtp.ErrAuthFailed
		}
		v.now.user = user
		return nil
	}), nil
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error { v.now.from = from; return nil }
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error   { v.now.to += to; return nil }
func (v *visit) Reset()                                      {}
func (v *visit) Logout() error                               { return nil }

func (v *visit) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	v.post.mu.Lock()
	defer v.post.mu.Unlock()
	if len(v.post.refusals) > 0 {
		refusal := v.post.refusals[0]
		v.post.refusals = v.post.refusals[1:]
		if refusal != nil {
			return refusal
		}
	}
	v.now.text = string(text)
	_, v.now.secure = v.conn.TLSConnectionState()
	v.post.taken = append(v.post.taken, v.now)
	return nil
}

func sender(t *testing.T) *netmail.Address {
	t.Helper()
	from, err := mail.Sender("Pointgate <pointgate@demo.example>")
	if err != nil {
		t.Fatal(err)
	}
	return from
}

func aMail() *store.Mail {
	return &store.Mail{
		ID: "mail_1", Tenant: "demo", Kind: "alert", Recipient: "security@demo.example", Subject: "Alarm", Body: "First.\n\nSecond.\n",
		CreatedAt: store.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
	}
}

func transport(t *testing.T, p *post, url string) *mail.SMTP {
	t.Helper()
	s, err := mail.NewSMTP(strings.ReplaceAll(url, "ADDR", p.addr), sender(t))
	if err != nil {
		t.Fatal(err)
	}
	s.TLS = p.tls
	return s
}

func send(t *testing.T, s *mail.SMTP, m *store.Mail) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return s.Send(ctx, m)
}

func TestSMTPTakesAMail(t *testing.T) {
	insecure := func(s *smtp.Server) { s.AllowInsecureAuth = true }
	for name, c := range map[string]struct {
		implicit bool
		url      string
		edit     func(s *smtp.Server)
		secure   bool
		user     string
	}{
		"TLS from the beginning":           {true, "smtps://ADDR", nil, true, ""},
		"TLS, with a password":             {true, "smtps://postman:p%40ss%3Aword@ADDR", nil, true, "postman"},
		"this machine":                     {false, "smtp://ADDR", nil, false, ""},
		"this machine, with a password":    {false, "smtp://postman:p%40ss%3Aword@ADDR", insecure, false, "postman"},
		"in clear, by the operator's word": {false, "smtp+insecure://ADDR", nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPost(t, c.implicit, c.edit)
			if err := send(t, transport(t, p, c.url), aMail()); err != nil {
				t.Fatal(err)
			}
			got := p.letters()
			if len(got) != 1 || got[0].from != "pointgate@demo.example" || got[0].to != "security@demo.example" || got[0].secure != c.secure || got[0].user != c.user {
				t.Fatalf("%+v", got)
			}
		})
	}
}

func TestSMTPRefusesToSpeakInClear(t *testing.T) {
	p := newPost(t, false, func(s *smtp.Server) { s.TLSConfig = nil })
	_, port, _ := net.SplitHostPort(p.addr)
	s, err := mail.NewSMTP("smtp://post.example:"+port, sender(t))
	if err != nil {
		t.Fatal(err)
	}
	s.DialTo(p.addr)
	if err := send(t, s, aMail()); err == nil || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("a server without STARTTLS: %v", err)
	}
	p = newPost(t, false, nil)
	s.DialTo(p.addr)
	if err := send(t, s, aMail()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody trusts: %v", err)
	}
	s.TLS = p.tls
	if err := send(t, s, aMail()); err != nil {
		t.Errorf("a certificate that is trusted: %v", err)
	}
	if got := p.letters(); len(got) != 1 || !got[0].secure {
		t.Errorf("%+v", got)
	}
}

func TestSMTPFailsWhereTheServerDoes(t *testing.T) {
	for name, c := range map[string]struct{ url, want string }{
		"a wrong password":           {"smtps://postman:wrong@ADDR", "535"},
		"TLS with one that has none": {"smtps://127.0.0.1:1", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPost(t, true, nil)
			err := send(t, transport(t, p, c.url), aMail())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "wrong@") {
				t.Errorf("%v, want %q", err, c.want)
			}
			if got := p.letters(); len(got) != 0 {
				t.Errorf("it took %+v", got)
			}
		})
	}
}

// A server that takes connections and then says nothing, at whichever step.
func TestSMTPDoesNotWaitForEver(t *testing.T) {
	for name, says := range map[string]string{"nothing": "", "half a greeting": "220 post.exam", "a greeting": "220 post.example\r\n"} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				c, err := ln.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, says)
				_, _ = io.Copy(io.Discard, c) // until the other side closes
				_ = c.Close()
			}()
			s, err := mail.NewSMTP("smtp://"+ln.Addr().String(), sender(t))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			begin := time.Now()
			if err := s.Send(ctx, aMail()); err == nil || time.Since(begin) > 5*time.Second {
				t.Errorf("after %v: %v", time.Since(begin), err)
			}
			<-ended // the connection was closed, not left
			_ = ln.Close()
		})
	}
}

func TestServersThatAreNone(t *testing.T) {
	for _, url := range []string{
		"", "mail.example", "http://mail.example", "smtp://", "smtp://mail.example/path", "smtp://mail.example?x=1", "smtps://mail.example:0",
		"smtps://mail.example:99999", "smtp://user@mail.example", "smtp+insecure://user:secret@mail.example", "smtp://user:sec ret@%zz",
	} {
		_, err := mail.NewSMTP(url, sender(t))
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	for url, want := range map[string]string{
		"smtp://mail.example": "mail.example:587", "smtps://mail.example": "mail.example:465", "smtp+insecure://mail.example": "mail.example:25",
		"smtps://u:p@mail.example:2465/": "mail.example:2465", "smtp://[::1]": "[::1]:587",
	} {
		s, err := mail.NewSMTP(url, sender(t))
		if err != nil || s.Server() != want {
			t.Errorf("%q: %v, %v, want %s", url, s, err, want)
		}
	}
}

var quiet = slog.New(slog.DiscardHandler)
