package tests

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/pointgate/pointgate/tests/harness"
)

const (
	callerTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	callerParent = "00-" + callerTrace + "-00f067aa0ba902b7-00"
)

// TestATraceLeadsToTheRecordAndBack: the span has the decision's id, the record
// the span's, and nothing in it names a person or holds a token.
func TestATraceLeadsToTheRecordAndBack(t *testing.T) {
	c := newCollector(t)
	s := harness.Start(t, harness.Options{Args: []string{"--otlp-endpoint", c.URL, "--trace-ratio", "1"}})
	a := must(s.Send(harness.Request{Method: http.MethodGet, URL: "/api/points?customer_id=cus_alice", Token: s.Demo.SupportToken, Header: http.Header{
		"Traceparent": {callerParent}, "Baggage": {"person=alice"},
	}}))(t)
	id := a.Header.Get("X-Decision-Id")
	record := must(s.Get("/admin/api/decisions/"+id, s.Demo.AuditorToken))(t)
	if got := must(record.At("trace_id"))(t); got != callerTrace {
		t.Errorf("the record's trace is %s", got)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	root, raw := c.spanOf(t, id)
	if got := must(record.At("span_id"))(t); got != hexOf(root.GetSpanId()) || hexOf(root.GetTraceId()) != callerTrace || hexOf(root.GetParentSpanId()) != "00f067aa0ba902b7" {
		t.Errorf("the record's span is %s; the span %v", got, root)
	}
	got := map[string]string{}
	for _, kv := range root.GetAttributes() {
		got[kv.GetKey()] = kv.GetValue().GetStringValue()
	}
	delete(got, "http.response.status_code") // a number
	want := map[string]string{
		"http.request.method": "GET", "http.route": "/api/points",
		"pointgate.action": "points.read", "pointgate.decision_id": id, "pointgate.code": "ok", "pointgate.tenant": "demo",
	}
	if diff := cmp.Diff(want, got); diff != "" || root.GetName() != "GET /api/points" {
		t.Errorf("%s %s", root.GetName(), diff)
	}
	children := map[string]bool{}
	for _, child := range c.all() {
		if string(child.GetParentSpanId()) == string(root.GetSpanId()) {
			children[child.GetName()] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{"gate.facts": true, "gate.decide": true, "gate.commit": true}, children); diff != "" {
		t.Error(diff)
	}
	for _, secret := range []string{"cus_alice", "alice", s.Demo.SupportToken, "customer_id", "127.0.0.1"} {
		if strings.Contains(raw, secret) {
			t.Errorf("what was sent has %q in it", secret)
		}
	}
}

// TestWithoutTracesTheRecordStillHasTheCallersTrace, and a trace that is not
// valid leaves none.
func TestWithoutTracesTheRecordStillHasTheCallersTrace(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for parent, want := range map[string]string{callerParent: callerTrace, "00-" + strings.Repeat("z", 32) + "-00f067aa0ba902b7-01": ""} {
		a := must(s.Send(harness.Request{Method: http.MethodGet, URL: "/api/points", Token: s.Demo.SupportToken, Header: http.Header{"Traceparent": {parent}}}))(t)
		record := must(s.Get("/admin/api/decisions/"+a.Header.Get("X-Decision-Id"), s.Demo.AuditorToken))(t)
		if got, _ := record.At("trace_id"); got != want {
			t.Errorf("%s: the record's trace is %q", parent, got)
		}
	}
}

// TestACollectorThatIsDownStopsNothing: requests are answered, and the program
// ends with code 0.
func TestACollectorThatIsDownStopsNothing(t *testing.T) {
	gone := newCollector(t)
	gone.Close()
	s := harness.Start(t, harness.Options{Args: []string{"--otlp-endpoint", gone.URL, "--trace-ratio", "1"}})
	for range 50 {
		if a := must(s.Get("/api/points?customer_id=cus_alice", s.Demo.SupportToken))(t); a.Status != http.StatusOK {
			t.Fatal(a)
		}
	}
}

// aCollector is an OpenTelemetry collector that keeps what it gets.
type aCollector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*otlp.Span
	raw   strings.Builder
}

func newCollector(t *testing.T) *aCollector {
	t.Helper()
	c := &aCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var in collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, &in) != nil {
			t.Errorf("no OTLP at %s: %v", r.URL.Path, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(raw)
		for _, rs := range in.GetResourceSpans() {
			for _, scope := range rs.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *aCollector) all() []*otlp.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans
}

// spanOf is the one of a decision, and all that was sent.
func (c *aCollector) spanOf(t *testing.T, decision string) (*otlp.Span, string) {
	t.Helper()
	for _, s := range c.all() {
		for _, kv := range s.GetAttributes() {
			if kv.GetKey() == "pointgate.decision_id" && kv.GetValue().GetStringValue() == decision {
				return s, c.raw.String()
			}
		}
	}
	t.Fatalf("%d spans came, none of %s", len(c.all()), decision)
	return nil, ""
}

func hexOf(id []byte) string { return hex.EncodeToString(id) }
