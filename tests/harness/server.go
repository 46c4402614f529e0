package harness

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Options of one start; the zero value is a new demo on SQLite without rate limits.
type Options struct {
	Database string // postgres://…; empty: SQLite in Dir
	Dir      string // data folder; empty: a new one
	Limits   bool   // rate limits and throttling on
	Real     bool   // not a demo: there is nobody, and no demo.json
	// Unchecked answers are not held against the OpenAPI document, which costs
	// too much under load.
	Unchecked bool
	Args      []string
	Program   string // path of another build of the program; empty: [Binary]

	scheme string // empty: http
}

// Demo is the demo.json of the data folder: one token for each staff role.
type Demo struct {
	URL           string `json:"url"`
	AdminToken    string `json:"admin_token"`
	ManagerToken  string `json:"manager_token"`
	SupportToken  string `json:"support_token"`
	ViewerToken   string `json:"viewer_token"`
	PolicyToken   string `json:"policy_token"`
	ApproverToken string `json:"approver_token"`
	AuditorToken  string `json:"auditor_token"`
	APIKey        string `json:"api_key"`
}

// Server is one running program.
type Server struct {
	URL   string // of the tenant demo
	Other string // of the tenant other
	Ops   string
	Dir   string
	Demo  Demo
	HTTP  *http.Client // follows no redirect; all host names lead to this server

	options  Options
	document *document
	address  string
	cmd      *exec.Cmd
	exited   chan struct{}
	log      string // file
}

// startTimeout is generous: the race detector on a busy machine is slow.
const startTimeout = 60 * time.Second

// Start starts the program and waits until it is ready. With the test it is
// stopped by SIGTERM, and must then end with code 0, which it does not if the
// race detector found something.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Launch(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop: %v\n%s", err, s.Log())
		} else if t.Failed() {
			t.Logf("the server's log ends with:\n%s", s.Log())
		}
	})
	return s
}

// Launch starts the program with its files in scratch. A port that somebody
// else took meanwhile is not an error: others are tried.
func Launch(scratch string, o Options) (*Server, error) {
	if o.Dir == "" {
		o.Dir = filepath.Join(scratch, "data")
	}
	s := &Server{Dir: o.Dir, options: o, log: filepath.Join(scratch, "server.log")}
	return s, s.Restart()
}

// LaunchTLS is Launch for a demo that ends TLS itself; its HTTP client is not of use.
func LaunchTLS(scratch, cert, key string, args ...string) (*Server, error) {
	return Launch(scratch, Options{scheme: "https", Args: append([]string{"--tls-cert", cert, "--tls-key", key}, args...)})
}

// Restart starts a stopped or killed server again on the same data folder. Its
// ports and so its URLs change.
func (s *Server) Restart() (err error) {
	for range 3 {
		err = s.start()
		if err == nil || !strings.Contains(err.Error(), "address already in use") {
			return err
		}
	}
	return err
}

func (s *Server) start() error {
	binary := s.options.Program
	if binary == "" {
		var err error
		if binary, err = Binary(); err != nil {
			return err
		}
	}
	public, ops := freePort(), freePort()
	s.address = "127.0.0.1:" + public
	scheme := cmp.Or(s.options.scheme, "http")
	s.URL, s.Other = scheme+"://"+s.address, scheme+"://other.localhost:"+public
	s.Ops = "http://127.0.0.1:" + ops
	s.HTTP = newHTTP(s.address)
	limits := "off"
	if s.options.Limits {
		limits = "on"
	}
	s.cmd = exec.Command(binary, append([]string{
		"serve", "--demo=" + strconv.FormatBool(!s.options.Real), "--limits", limits, "--listen", s.address, "--ops-listen", "127.0.0.1:" + ops,
		"--public-url", s.URL, "--data", s.Dir, "--database", s.options.Database,
	}, s.options.Args...)...)
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	s.cmd.Stdout, s.cmd.Stderr = out, out
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.exited = exited
	go func() { _ = s.cmd.Wait(); close(exited) }()
	if err := s.untilReady(); err != nil {
		s.Kill()
		return fmt.Errorf("%w\n%s", err, s.Log())
	}
	if err := s.readDocument(); err != nil {
		s.Kill()
		return err
	}
	return s.readDemo()
}

// untilReady asks /readyz until it says yes or the program ends.
func (s *Server) untilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if s.ready(ctx) {
			return nil
		}
		select {
		case <-again.C:
		case <-s.exited:
			return fmt.Errorf("the program ended at once: %v", s.cmd.ProcessState)
		case <-ctx.Done():
			return errors.New("the program is not ready in time")
		}
	}
}

func (s *Server) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Ops+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func (s *Server) readDemo() error {
	if s.options.Real {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(s.Dir, "demo.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, &s.Demo)
}

// Stop ends the program with SIGTERM; an exit code other than 0 is an error.
func (s *Server) Stop() error {
	if s.gone() {
		return nil
	}
	s.HTTP.CloseIdleConnections()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.exited:
	case <-time.After(startTimeout):
		s.Kill()
		return errors.New("the program does not end after SIGTERM")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("exit code %d after SIGTERM", code)
	}
	return nil
}

// Kill ends the program with SIGKILL, in the middle of whatever it does.
func (s *Server) Kill() {
	if !s.gone() {
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	s.HTTP.CloseIdleConnections()
}

func (s *Server) gone() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// Pid is the id of the running process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Address is the host and port of the public listener.
func (s *Server) Address() string { return s.address }

// Log is the end of what the program wrote.
func (s *Server) Log() string {
	const most = 4 << 10
	raw, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	if len(raw) > most {
		_, raw, _ = bytes.Cut(raw[len(raw)-most:], []byte("\n"))
	}
	return string(raw)
}

var setupLink = regexp.MustCompile(`http://\S+/setup\?link=\S+`)

// SetupLink is the link for the first administrator that a server prints which
// is not a demo.
func (s *Server) SetupLink() (string, error) {
	raw, err := os.ReadFile(s.log)
	if err != nil {
		return "", err
	}
	if link := setupLink.Find(raw); link != nil {
		return string(link), nil
	}
	return "", errors.New("no setup link was printed")
}

// freePort is a port that was free a moment ago.
func freePort() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // no loopback: nothing here can work
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}

// newHTTP takes every host name to the one server, so that tenants can be told
// apart by name without any name service.
func newHTTP(address string) *http.Client {
	return &http.Client{
		Timeout: 60 * time.Second,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
			MaxIdleConnsPerHost: 256,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
