package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/oauth2/jwttest"
	"github.com/pointgate/pointgate/server/egress"
)

func TestKeySetsAreFetched(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			_, _ = w.Write([]byte(`{"keys":[]}`))
		case "/elsewhere":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/large":
			_, _ = w.Write(make([]byte, maxKeySet+1))
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	f := keyFetcher{egress.New(egress.Config{Local: true})}
	if raw, err := f.Get(t.Context(), s.URL+"/good"); err != nil || string(raw) != `{"keys":[]}` {
		t.Errorf("%s, %v", raw, err)
	}
	for _, path := range []string{"/elsewhere", "/large", "/none"} {
		if raw, err := f.Get(t.Context(), s.URL+path); err == nil {
			t.Errorf("%s: %.20q", path, raw)
		}
	}
	if _, err := (keyFetcher{egress.New(egress.Config{})}).Get(t.Context(), s.URL+"/good"); err == nil {
		t.Error("loopback is asked")
	}
}

func TestAuthoritiesOfCertificates(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, raw []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert := jwttest.New(t, "ES256").Certificate(t, "ca")
	good := write("good.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}))
	for path, want := range map[string]string{"": "", good: "", filepath.Join(dir, "none"): "client-ca: open", write("bad.pem", []byte("no PEM")): "holds no certificate"} {
		pool, err := (&Config{ClientCA: path}).clientCAs()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || (pool != nil) != (path == good) {
			t.Errorf("%q: %v, %v", path, pool, err)
		}
	}
}
