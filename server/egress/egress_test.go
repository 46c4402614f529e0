package egress

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// names is a resolver whose answers for a name follow one another.
type names struct {
	mu    sync.Mutex
	known map[string][]string // each a list of addresses with commas
	asked int
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	answers := n.known[host]
	if len(answers) == 0 {
		return nil, errors.New("no such host")
	}
	if len(answers) > 1 {
		n.known[host] = answers[1:]
	}
	var out []netip.Addr
	for _, a := range strings.Split(answers[0], ",") {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

// listener is a TLS server for example.com at a port of 127.0.0.1.
func listener(t *testing.T, h http.HandlerFunc) (s *httptest.Server, port string, roots *x509.CertPool) {
	t.Helper()
	s = httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, u.Port(), roots
}

func TestClientReachesWhatIsAllowed(t *testing.T) {
	_, port, roots := listener(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprintf(w, "%s %s %q %q %q %q", r.Method, r.Host, r.Header.Get("User-Agent"), r.Header.Get("Accept-Encoding"), r.Header.Get("Content-Type"), body)
	})
	e := New(Config{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Roots: roots,
		Resolver: &names{known: map[string][]string{"example.com": {"10.0.0.1,127.0.0.1"}}}, Agent: "pointgate/1",
	})
	a, err := e.Get(t.Context(), "https://example.com:"+port+"/doc", 1000)
	if err != nil || a.Status != 200 || a.Header.Get("Cache-Control") != "max-age=60" {
		t.Fatalf("%+v %v", a, err)
	}
	if want := `GET example.com:` + port + ` "pointgate/1" "" "" ""`; string(a.Body) != want {
		t.Errorf("%s, want %s", a.Body, want)
	}
	a, err = e.Post(t.Context(), "https://example.com:"+port+"/doc", "application/x-www-form-urlencoded", []byte("a=b"))
	if want := `POST example.com:` + port + ` "pointgate/1" "" "application/x-www-form-urlencoded" "a=b"`; err != nil || string(a.Body) != want {
		t.Errorf("%s %v, want %s", a.Body, err, want)
	}
}

func TestClientRefusesAddressesThatAreNotPublic(t *testing.T) {
	var hits atomic.Int32
	_, port, roots := listener(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	for _, address := range []string{
		"127.0.0.1", "127.8.9.10", "::1", "0.0.0.0", "::", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
		"100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "fe80::1", "fe80::1%lo",
		"fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
		"2002:7f00:1::1", "2001::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "fec0::1",
	} {
		t.Run(address, func(t *testing.T) {
			e := New(Config{Roots: roots, Resolver: &names{known: map[string][]string{"example.com": {address}}}})
			if _, err := e.Get(t.Context(), "https://example.com:"+port+"/", 10); !errors.Is(err, ErrForbidden) {
				t.Errorf("by its name: %v", err)
			}
			literal := "https://" + strings.ReplaceAll(bracketed(address), "%", "%25") + ":" + port + "/"
			if _, err := e.Get(t.Context(), literal, 10); !errors.Is(err, ErrForbidden) {
				t.Errorf("as it is: %v", err)
			}
			if err := e.Check(literal); !errors.Is(err, ErrForbidden) {
				t.Errorf("checked: %v", err)
			}
		})
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests arrived", hits.Load())
	}
}

func bracketed(address string) string {
	if strings.Contains(address, ":") {
		return "[" + address + "]"
	}
	return address
}

func TestClientTakesPublicAddresses(t *testing.T) {
	e := New(Config{})
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"} {
		if !e.reachable(netip.MustParseAddr(a)) {
			t.Errorf("%s is refused", a)
		}
	}
}

// The name is public when it is checked, and this machine when it is asked for
// again: each request is judged by the very address that it is sent to.
func TestClientIsNotRebound(t *testing.T) {
	var hits atomic.Int32
	_, port, roots := listener(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	r := &names{known: map[string][]string{"example.com": {"127.0.0.2", "127.0.0.1"}}}
	e := New(Config{Roots: roots, Resolver: r, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	if _, err := e.Get(t.Context(), "https://example.com:"+port+"/", 10); errors.Is(err, ErrForbidden) || err == nil {
		t.Fatalf("the allowed address, where nobody listens: %v", err)
	}
	if r.asked != 1 {
		t.Errorf("one request looked the name up %d times", r.asked)
	}
	if _, err := e.Get(t.Context(), "https://example.com:"+port+"/", 10); !errors.Is(err, ErrForbidden) {
		t.Errorf("rebound: %v", err)
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests arrived", hits.Load())
	}
}

func TestClientRefusesURLs(t *testing.T) {
	for _, local := range []bool{false, true} {
		e := New(Config{Local: local})
		for _, u := range []string{
			"", "example.com", "//example.com/", "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https:example.com",
			"https://user@example.com/", "https://user:password@example.com/", "https://example.com/#f", "https:///path", "https://example.com:22/",
			"https://example.com:80/", "https://example.com:0/", "https://example.com:65536/", "https://exa mple.com/", "gopher://example.com/",
			"https://example.com/" + strings.Repeat("a", maxURL), "http://foo.localhost/",
		} {
			if err := e.Check(u); !errors.Is(err, ErrURL) {
				t.Errorf("local %v, %.60q: %v", local, u, err)
			}
			if _, err := e.Get(t.Context(), u, 10); !errors.Is(err, ErrURL) {
				t.Errorf("local %v, %.60q: %v", local, u, err)
			}
		}
		for _, u := range []string{"https://example.com", "https://example.com:443/a?b", "https://example.com:8443/"} {
			if err := e.Check(u); err != nil {
				t.Errorf("%q: %v", u, err)
			}
		}
	}
}

func TestClientSpeaksPlainHTTPAtHomeOnly(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	defer s.Close()
	if a, err := New(Config{Local: true}).Get(t.Context(), s.URL, 10); err != nil || string(a.Body) != "here" {
		t.Errorf("%v %v", a, err)
	}
	if _, err := New(Config{}).Get(t.Context(), s.URL, 10); !errors.Is(err, ErrURL) {
		t.Errorf("elsewhere: %v", err)
	}
	if _, err := New(Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}).Get(t.Context(), s.URL, 10); !errors.Is(err, ErrURL) {
		t.Errorf("an allowed network: %v", err)
	}
	abroad := &names{known: map[string][]string{"localhost": {"8.8.8.8"}}}
	if _, err := New(Config{Local: true, Resolver: abroad}).Get(t.Context(), "http://localhost:8080/", 10); !errors.Is(err, ErrForbidden) {
		t.Errorf("localhost that is elsewhere: %v", err)
	}
}

func TestClientBoundsWhatComesBack(t *testing.T) {
	hang := make(chan struct{})
	var elsewhere atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			io.WriteString(w, strings.Repeat("x", 1001))
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("x", 1000)); err != nil {
					return
				}
			}
		case "/just":
			io.WriteString(w, strings.Repeat("x", 1000))
		case "/headers":
			w.Header().Set("X-Long", strings.Repeat("x", maxHeader))
		case "/zip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, strings.Repeat("x", 100))
			z.Close()
		case "/away":
			http.Redirect(w, r, "/target", http.StatusFound)
		case "/target":
			elsewhere.Add(1)
		case "/hang":
			w.(http.Flusher).Flush()
			<-hang
		}
	}))
	defer s.Close()
	defer close(hang)
	e := New(Config{Local: true})
	for path, want := range map[string]error{"/long": ErrTooLarge, "/endless": ErrTooLarge, "/zip": ErrEncoded, "/just": nil} {
		if _, err := e.Get(t.Context(), s.URL+path, 1000); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := e.Get(t.Context(), s.URL+"/headers", 1000); err == nil || strings.Contains(err.Error(), s.URL) {
		t.Errorf("long headers: %v", err)
	}
	if a, err := e.Get(t.Context(), s.URL+"/away", 1000); err != nil || a.Status != 302 || elsewhere.Load() != 0 {
		t.Errorf("a redirect: %v %v, followed %d times", a, err, elsewhere.Load())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.Get(ctx, s.URL+"/hang", 1000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one that hangs: %v", err)
	}
}

func TestClientRunsSoManyAtOnce(t *testing.T) {
	arrived, let := make(chan struct{}, 8), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{}; <-let }))
	defer s.Close()
	e := New(Config{Local: true, AtOnce: 2})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { _, _ = e.Get(t.Context(), s.URL, 10) })
		<-arrived
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Get(ctx, s.URL, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("the third: %v", err)
	}
	close(let)
	all.Wait()
	if a, err := e.Get(t.Context(), s.URL, 10); err != nil || a.Status != 200 {
		t.Errorf("after them: %v %v", a, err)
	}
	if len(arrived) != 1 {
		t.Errorf("%d more arrived", len(arrived))
	}
}
