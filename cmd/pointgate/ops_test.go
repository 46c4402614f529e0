package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestProfilesAreAskedForByAddress: a browser that was led here under another
// name reads none.
func TestProfilesAreAskedForByAddress(t *testing.T) {
	handler := newOps(nil).http.Handler
	for host, want := range map[string]int{
		"127.0.0.1:9464": 200, "[::1]:9464": 200, "localhost:9464": 200, "10.1.2.3": 200, "evil.example:9464": 403, "evil.example": 403, "127.0.0.1.evil.example": 403,
	} {
		for path, want := range map[string]int{"/debug/pprof/": want, "/metrics": 200, "/healthz": 200} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s at %s: %d, want %d", path, host, w.Code, want)
			}
		}
	}
}
