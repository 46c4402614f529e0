package tests

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pointgate/pointgate/tests/harness"
)

// TestSIGTERMFinishesWhatIsInFlight: /readyz turns first, new connections are
// refused, and a request that has begun still gets its answer.
func TestSIGTERMFinishesWhatIsInFlight(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	slow, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	body := `{"customer_id":"cus_alice","points":7,"reason":"Slow"}`
	head := "POST /api/points/redeem HTTP/1.1\r\nHost: " + s.Address() + "\r\nAuthorization: Bearer " + s.Demo.ManagerToken +
		"\r\nContent-Type: application/json\r\nIdempotency-Key: slow-0001\r\nExpect: 100-continue\r\nContent-Length: 54\r\n\r\n"
	if len(body) != 54 {
		t.Fatalf("the body has %d bytes", len(body))
	}
	if _, err := slow.Write([]byte(head)); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(slow)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v; want 100 Continue: the request is in flight", line, err)
	}
	if _, err := answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(s.Pid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		c, err := net.Dial("tcp", s.Address())
		if err != nil {
			return true
		}
		_ = c.Close()
		return false
	})
	if res, err := http.Get(s.Ops + "/readyz"); err == nil {
		_ = res.Body.Close()
		if res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("readyz while stopping: %d, want 503", res.StatusCode)
		}
	} else {
		t.Errorf("readyz while a request is in flight: %v, want 503", err)
	}
	if _, err := slow.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatalf("the request in flight: %v", err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Errorf("the request in flight: %d, want 201", res.StatusCode)
	}
	_ = slow.Close()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// TestTLS: 1.3 by default, 1.2 on demand, never less; and what https changes.
func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	for name, tc := range map[string]struct {
		args    []string
		version uint16
		ok      bool
	}{
		"1.3":                 {nil, tls.VersionTLS13, true},
		"1.2 is not spoken":   {nil, tls.VersionTLS12, false},
		"1.2 if asked for":    {[]string{"--tls-min", "1.2"}, tls.VersionTLS12, true},
		"1.1 is never spoken": {[]string{"--tls-min", "1.2"}, tls.VersionTLS11, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := harness.LaunchTLS(t.TempDir(), cert, key, tc.args...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Kill)
			client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
				InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tc.version, // the version is the question, not the name
			}}}
			res, err := client.Get("https://" + s.Address() + "/login")
			if (err == nil) != tc.ok {
				t.Fatalf("spoken: %v, want %v (%v)", err == nil, tc.ok, err)
			}
			if err != nil {
				return
			}
			defer res.Body.Close()
			if res.Header.Get("Strict-Transport-Security") == "" {
				t.Error("no Strict-Transport-Security over TLS")
			}
			for _, c := range res.Cookies() {
				if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
					t.Errorf("cookie %v", c)
				}
			}
			if len(res.Cookies()) == 0 {
				t.Error("the login page set no cookie")
			}
		})
	}
}

// certificate writes a self-signed certificate for 127.0.0.1.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pointgate test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestADemoIsNotARealInstallation: neither is taken for the other, and one
// folder has one server; each refusal is one clear line and exit code 2.
func TestADemoIsNotARealInstallation(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	refused := func(name, want string, args ...string) {
		t.Helper()
		binary, err := harness.Binary()
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(binary, append([]string{"serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--data", s.Dir}, args...)...).CombinedOutput()
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != 2 || !strings.Contains(string(out), want) || strings.Count(string(out), "\n") != 1 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	refused("a second server", "in use by process", "--demo")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	refused("a real start on a demo's folder", "demo", "--demo=false")
	if err := s.Restart(); err != nil {
		t.Fatalf("the demo again: %v", err)
	}
}
