package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// SMTP sends each mail over a connection of its own. It is safe for concurrent
// use. RFC 5321, 3207 (STARTTLS), 8314 (TLS from the beginning).
type SMTP struct {
	// TLS is what the server has to show; nil: a certificate for its name that
	// this machine trusts. It is set before use.
	TLS *tls.Config

	from           *netmail.Address
	host           string
	port           int
	user, password string
	implicit       bool   // TLS from the beginning
	clear          bool   // no TLS at all
	dialTo         string // in tests, where the host's name leads; else empty
}

var errServer = errors.New("want smtp://user:password@host:587 or smtps://user:password@host:465 (smtp+insecure:// for one without TLS)")

// NewSMTP reads where the server is. With smtp the connection turns to TLS by
// STARTTLS, or is given up; a server on this machine's loopback is spoken to as
// it is. With smtp+insecure no TLS is asked for, and no password is sent.
// The error holds nothing of rawURL, which has a password in it.
func NewSMTP(rawURL string, from *netmail.Address) (*SMTP, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return nil, errServer
	}
	s := &SMTP{from: from, host: u.Hostname(), user: u.User.Username()}
	s.password, _ = u.User.Password()
	switch u.Scheme {
	case "smtps":
		s.implicit, s.port = true, 465
	case "smtp":
		s.clear, s.port = web.Loopback(s.host), 587
	case "smtp+insecure":
		s.clear, s.port = true, 25
		if s.user != "" && !web.Loopback(s.host) {
			return nil, errors.New("smtp+insecure would send the password in clear")
		}
	default:
		return nil, errServer
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errServer
		}
	}
	if (s.user == "") != (s.password == "") {
		return nil, errors.New("a user and a password go together")
	}
	return s, nil
}

// Server is host:port, for the log.
func (s *SMTP) Server() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

// Send implements [Transport]. What the server says after it took the mail
// doesn't matter any more.
func (s *SMTP) Send(ctx context.Context, m *store.Mail) error {
	msg, err := compose(s.from, m)
	if err != nil {
		return err
	}
	line := &connection{until: ctx, to: s.dialTo}
	defer line.end()
	client, err := s.client(line)
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	if err := client.SendWithSMTPClient(session, msg); err != nil {
		return err
	}
	_ = client.CloseWithSMTPClient(session)
	return nil
}

func (s *SMTP) client(line *connection) (*gomail.Client, error) {
	secure := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		secure = s.TLS.Clone()
		secure.ServerName = s.host
	}
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTLSConfig(secure), gomail.WithTimeout(time.Minute), // the ctx's end comes before
		gomail.WithoutNoop(), gomail.WithoutRset(),
	}
	dial := line.dial
	switch {
	case s.implicit:
		options = append(options, gomail.WithSSL())
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := line.dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			t := tls.Client(raw, secure)
			return t, t.HandshakeContext(ctx)
		}
	case s.clear:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.user != "" {
		options = append(options, gomail.WithUsername(s.user), gomail.WithPassword(s.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.host, append(options, gomail.WithDialContextFunc(dial))...)
}

// connection holds on to what the library dials. The library moves deadlines
// with each command and leaves a connection open where a greeting fails: here it
// ends with the sending's context, whatever happens.
type connection struct {
	net.Conn
	until context.Context // of the whole sending; that of the dialing ends earlier
	stop  func() bool
	to    string
}

func (c *connection) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.to != "" {
		address = c.to
	}
	raw, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.Conn, c.stop = raw, context.AfterFunc(c.until, func() { _ = raw.Close() })
	return raw, nil
}

func (c *connection) end() {
	if c.Conn != nil {
		c.stop()
		_ = c.Conn.Close()
	}
}
