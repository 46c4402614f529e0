package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// ops is the operators' listener: metrics, health and profiles. It has no
// authentication and says nothing about anybody's data.
type ops struct {
	http     *http.Server
	ready    atomic.Bool
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newOps(db *store.DB) *ops {
	o := &ops{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pointgate_requests_total", Help: "Answered requests, by action (empty where none was asked for), status and code.",
		}, []string{"action", "status", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pointgate_request_seconds", Help: "Time from the first byte to the answer, by action.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}, []string{"action"}),
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), o.requests, o.seconds)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", o.readyz(db))
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

// readyz is 200 while new requests are welcome: it turns first when the server
// stops, and while the store can't take a write.
func (o *ops) readyz(db *store.DB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if !o.ready.Load() || db.Ping(ctx) != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	}
}

// done counts one answered request.
func (o *ops) done(e *web.Event, took time.Duration) {
	o.requests.WithLabelValues(e.Action, strconv.Itoa(e.Status), e.Code).Inc()
	o.seconds.WithLabelValues(e.Action).Observe(took.Seconds())
}

func (o *ops) serve(ln net.Listener) error {
	if err := o.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
