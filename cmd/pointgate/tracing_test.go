package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is a collector: it reads OTLP over HTTP and answers as it is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	path   string
	token  string
	got    []*otlp.ResourceSpans
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		body := io.Reader(req.Body)
		if req.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Error(err)
				return
			}
		}
		raw, err := io.ReadAll(body)
		var in collector.ExportTraceServiceRequest
		if err != nil || req.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(raw, &in) != nil {
			t.Errorf("no OTLP: %s %v", req.Header.Get("Content-Type"), err)
		}
		r.path, r.token = req.URL.Path, req.Header.Get("Authorization")
		if r.status == http.StatusOK {
			r.got = append(r.got, in.GetResourceSpans()...)
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// spans are the names of what came.
func (r *receiver) spans() (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rs := range r.got {
		for _, scope := range rs.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				names = append(names, s.GetName())
			}
		}
	}
	return names
}

func traceTo(t *testing.T, url string) (*tracing, *metrics, *bytes.Buffer) {
	t.Helper()
	c, m, log := defaultConfig(), newMetrics(), &bytes.Buffer{}
	c.OTLPEndpoint = url
	tr, err := newTracing(c, "node-1", m, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return tr, m, log
}

func (m *metrics) counted() (ended, exported, failed string) {
	value := func(name string) string {
		_, v, _ := strings.Cut(strings.TrimSpace(scraped(m, name)), " ")
		return v
	}
	return value("pointgate_spans_ended_total"), value("pointgate_spans_exported_total"), value("pointgate_spans_failed_total")
}

func TestSpansComeToTheCollector(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic%20of-the-collector")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1") // does nothing: ours is the setting
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	r := newReceiver(t)
	tr, m, _ := traceTo(t, r.URL+"/otel/")
	stranger := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, Remote: true}) // not sampled there
	_, s := tr.tracer().Start(trace.ContextWithRemoteSpanContext(t.Context(), stranger), "GET /api/points")
	s.End()
	tr.close()
	if diff := cmp.Diff([]string{"GET /api/points"}, r.spans()); diff != "" {
		t.Fatal(diff)
	}
	about := map[string]string{}
	for _, a := range r.got[0].GetResource().GetAttributes() {
		about[a.GetKey()] = a.GetValue().GetStringValue()
	}
	if diff := cmp.Diff(map[string]string{"service.name": "pointgate", "service.version": version(), "service.instance.id": "node-1"}, about); diff != "" {
		t.Error(diff)
	}
	if span := r.got[0].GetScopeSpans()[0].GetSpans()[0]; !bytes.Equal(span.GetTraceId(), append([]byte{1}, make([]byte, 15)...)) || r.path != "/otel/v1/traces" || r.token != "Basic of-the-collector" {
		t.Errorf("%v at %s with %q", span, r.path, r.token)
	}
	if a, b, c := m.counted(); a+b+c != "110" {
		t.Errorf("ended %s, exported %s, failed %s", a, b, c)
	}
}

// TestACollectorThatHangsHoldsNobodyUp: it answers when the test is over, and
// the test comes to its end all the same.
func TestACollectorThatHangsHoldsNobodyUp(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 64)
	hung := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{}; <-release }))
	t.Cleanup(hung.Close)
	t.Cleanup(func() { close(release) })
	tr, m, _ := traceTo(t, hung.URL)
	tr.last = 50 * time.Millisecond
	for range spanBatch {
		_, s := tr.tracer().Start(t.Context(), "early")
		s.End()
	}
	<-asked // the exporter hangs now
	for range 4 * spanQueue {
		_, s := tr.tracer().Start(t.Context(), "late")
		s.End()
	}
	tr.close()
	if ended, exported, _ := m.counted(); ended != "8704" || exported != "0" {
		t.Errorf("ended %s, exported %s", ended, exported)
	}
}

func TestACollectorThatRefusesIsLoggedOnce(t *testing.T) {
	r := newReceiver(t)
	tr, m, log := traceTo(t, r.URL)
	defer tr.close()
	send := func() {
		_, s := tr.tracer().Start(t.Context(), "x")
		s.End()
		if err := tr.provider.ForceFlush(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	for _, status := range []int{400, 400, 200, 200} {
		r.answer(status)
		send()
	}
	if ended, exported, failed := m.counted(); ended+" "+exported+" "+failed != "4 2 2" {
		t.Errorf("ended %s, exported %s, failed %s", ended, exported, failed)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 2 || !strings.Contains(log.String(), "not delivered") || !strings.Contains(log.String(), "delivered again") {
		t.Errorf("the log has\n%s", log)
	}
}

func TestWithoutAnEndpointThereIsNothing(t *testing.T) {
	tr, _, _ := traceTo(t, "")
	if tr != nil || tr.tracer() != nil {
		t.Errorf("%v %v", tr, tr.tracer())
	}
	if ratio, random, trusted := tr.sampling(); ratio != 0 || random != nil || trusted != nil {
		t.Error("something is sampled")
	}
	tr.close()
}

// TestProxiesDecideOnlyWhereThatIsSaid: to be believed about an address is not
// to be believed about the flag.
func TestProxiesDecideOnlyWhereThatIsSaid(t *testing.T) {
	c := defaultConfig()
	c.OTLPEndpoint, c.proxies = "http://127.0.0.1:1", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, said := range []bool{false, true} {
		c.TraceTrustProxies = said
		tr, err := newTracing(c, "", newMetrics(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, trusted := tr.sampling(); (len(trusted) == 1) != said {
			t.Errorf("said %v, trusted %v", said, trusted)
		}
		tr.close()
	}
}

func TestWhatTracesCannotWorkWithIsRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"no URL":                       {"--otlp-endpoint=127.0.0.1:4318"},
		"a password in the URL":        {"--otlp-endpoint=https://u:p@collector.example"},
		"a token in the URL":           {"--otlp-endpoint=https://collector.example?token=x"},
		"more than all":                {"--trace-ratio=1.1"},
		"less than none":               {"--trace-ratio=-0.1"},
		"no number":                    {"--trace-ratio=NaN"},
		"proxies that are not trusted": {"--trace-trust-proxies"},
	} {
		if _, err := load(t, "", args...); err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), ":p@") {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "no value")
	c := defaultConfig()
	c.OTLPEndpoint = "http://127.0.0.1:4318"
	if tr, err := newTracing(c, "", newMetrics(), slog.New(slog.DiscardHandler)); err == nil {
		tr.close()
		t.Error("a variable that can't be read is ignored")
	}
	if _, err := load(t, "", "--otlp-endpoint=https://collector.example/tenant", "--trace-ratio=1"); err != nil {
		t.Error(err)
	}
}
