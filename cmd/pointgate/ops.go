package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pointgate/pointgate/store"
)

// ops is the operators' listener: metrics, health and profiles. It has no
// authentication and says nothing about anybody's data.
type ops struct {
	*metrics
	http     *http.Server
	ready    atomic.Bool
	db       *store.DB
	instance string // names this process in records and traces
	tracing  *tracing
}

// newOps makes the listener's handler. db may be nil and come later by
// [ops.watch]: the database is opened with the metrics as its observer.
func newOps(db *store.DB) *ops {
	o := &ops{metrics: newMetrics(), instance: uuid.NewString()}
	if db != nil {
		o.watch(db)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", o.readyz())
	for path, profile := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/profile": pprof.Profile, "/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
	} {
		mux.HandleFunc(path, byAddress(profile))
	}
	o.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return o
}

// byAddress refuses a Host that is a name: a page that makes its own name lead
// to this machine (DNS rebinding) must not read profiles through a browser.
func byAddress(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "localhost" {
			http.Error(w, "ask by address", http.StatusForbidden)
			return
		}
		next(w, r)
	}
}

// watch gives the database whose health and figures are told. It is called once,
// before anybody is served.
func (o *ops) watch(db *store.DB) {
	o.db = db
	o.store(db)
}

// readyz is 200 while new requests are welcome: it turns first when the server
// stops, and while the store can't take a write.
func (o *ops) readyz() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if !o.ready.Load() || o.db.Ping(ctx) != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	}
}

func (o *ops) serve(ln net.Listener) error {
	if err := o.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
