package egress

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// Config is what a [Client] is made of; the zero value is the strictest.
type Config struct {
	// Allow are networks that may be reached although they are not public.
	Allow []netip.Prefix
	// Local lets loopback be reached, and spoken to in plain http: for an
	// installation whose own listener and issuer are on loopback.
	Local bool
	// AtOnce is how many requests may run at a time; others wait. 0: 16.
	AtOnce int
	// Agent is the User-Agent. Empty: pointgate.
	Agent string
	// Roots are the authorities of certificates; nil: the system's.
	Roots *x509.CertPool
	// Resolver finds the addresses of names; nil: the system's.
	Resolver Resolver
}

// Resolver is what a [Client] needs of [net.Resolver].
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// The bounds of one request.
const (
	Timeout   = 5 * time.Second // from the call to the last byte, waiting for a turn included
	maxHeader = 16 << 10
	maxURL    = 2048
)

// Errors that say what was wrong; all others are of the network.
var (
	ErrURL       = errors.New("egress: not a URL that may be called")
	ErrForbidden = errors.New("egress: not a public address")
	ErrTooLarge  = errors.New("egress: the answer is too long")
	ErrEncoded   = errors.New("egress: the answer is compressed")
)

// Client calls addresses that others chose. It is safe for concurrent use.
type Client struct {
	c     Config
	turns chan struct{}
	http  *http.Client
}

// Answer is what came back. A status of 3xx is an answer like any other.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// New makes a Client.
func New(c Config) *Client {
	if c.AtOnce == 0 {
		c.AtOnce = 16
	}
	if c.Agent == "" {
		c.Agent = "pointgate"
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	e := &Client{c: c, turns: make(chan struct{}, c.AtOnce)}
	e.http = &http.Client{
		Transport: &http.Transport{
			DialContext:            e.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
			DisableCompression:     true,
			DisableKeepAlives:      true, // each request has its address judged
			TLSHandshakeTimeout:    Timeout,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e
}

// Get fetches what is at target, at most that many bytes of it.
func (e *Client) Get(ctx context.Context, target string, most int64) (*Answer, error) {
	return e.do(ctx, http.MethodGet, target, "", nil, most)
}

// Post sends a body there. Of the answer, at most 64 KiB are read.
func (e *Client) Post(ctx context.Context, target, contentType string, body []byte) (*Answer, error) {
	return e.do(ctx, http.MethodPost, target, contentType, body, 64<<10)
}

// Check says whether target is a URL that may be called, as far as can be said
// without looking up its name: ErrURL, ErrForbidden or nil. It does no I/O.
func (e *Client) Check(target string) error {
	_, err := e.parse(target)
	return err
}

func (e *Client) do(ctx context.Context, method, target, contentType string, body []byte, most int64) (*Answer, error) {
	u, err := e.parse(target)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	select {
	case e.turns <- struct{}{}:
		defer func() { <-e.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, ErrURL
	}
	r.Header.Set("User-Agent", e.c.Agent)
	r.Header.Set("Accept", "application/json")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := e.http.Do(r)
	if err != nil {
		return nil, bare(err)
	}
	defer resp.Body.Close()
	return read(resp, most)
}

// bare is the cause without the URL, which may hold what is not for logs.
func bare(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

func read(resp *http.Response, most int64) (*Answer, error) {
	if c := resp.Header.Get("Content-Encoding"); c != "" && c != "identity" {
		return nil, ErrEncoded
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > most {
		return nil, ErrTooLarge
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// parse reads a URL strictly.
func (e *Client) parse(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	if err != nil || len(target) > maxURL || u.Opaque != "" || u.User != nil || u.Fragment != "" || u.Hostname() == "" {
		return nil, ErrURL
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !e.c.Local || !loopbackName(u.Hostname())) {
		return nil, ErrURL
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n < 1024 && n != 443 {
			return nil, ErrURL
		}
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !e.reachable(a) {
		return nil, ErrForbidden
	}
	return u, nil
}
