package edge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/pointgate/pointgate/server/web"
)

const (
	theirTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	theirSpan  = "00f067aa0ba902b7"
	sampled    = "00-" + theirTrace + "-" + theirSpan + "-01"
	unsampled  = "00-" + theirTrace + "-" + theirSpan + "-00"
)

// traced is the step behind Events, in front of handlers that look at the trace.
type traced struct {
	*fiber.App
	spans *tracetest.InMemoryExporter
	event *web.Event      // of the last request
	sent  string          // what its handler would have sent on: traceparent and tracestate
	ctx   context.Context // of its handler
}

func newTraced(t *testing.T, step *Traces, on bool) *traced {
	t.Helper()
	a := &traced{App: fiber.New(fiber.Config{StrictRouting: true, CaseSensitive: true}), spans: tracetest.NewInMemoryExporter()}
	if on {
		p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(a.spans), sdktrace.WithSampler(sdktrace.AlwaysSample()))
		t.Cleanup(func() {
			if err := p.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		})
		step.Tracer = p.Tracer("pointgate")
	}
	refuse := func(c *fiber.Ctx, p *web.Problem) error {
		web.EventOf(c).Refused = p.Code
		return p.Answer(web.EventOf(c)).Send(c)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	a.Use((&Events{Log: log, Now: time.Now, Refuse: refuse, Timeout: time.Minute, Done: func(e *web.Event, _ time.Duration) { a.event = e }}).Step())
	a.Use(step.Step())
	a.Use(func(c *fiber.Ctx) error {
		if c.Get("Stop") != "" {
			return refuse(c, web.NewProblem("rate_limited", ""))
		}
		return c.Next()
	})
	a.Get("/", func(*fiber.Ctx) error { return nil })
	g := a.Group("/api/points", func(c *fiber.Ctx) error { return c.Next() })
	g.Post("/holds/:id/capture", a.handler)
	g.Get("/panic", func(*fiber.Ctx) error { panic("a secret text") })
	g.Get("/broken", func(*fiber.Ctx) error { return errors.New("alice@demo.example is not there") })
	g.Get("/one", func(c *fiber.Ctx) error { return c.Next() }, a.handler)
	return a
}

// handler does what the gate does to an event.
func (a *traced) handler(c *fiber.Ctx) error {
	e := web.EventOf(c)
	e.Tenant, e.Action, e.DecisionID, e.Subject = "demo", "points.capture", "dec_1", "cus_alice"
	now := time.Now()
	e.Spent(web.PartDecide, now.Add(-2*time.Millisecond), now.Add(-time.Millisecond))
	e.Spent(web.PartCommit, now.Add(-time.Millisecond), now)
	a.ctx = c.UserContext()
	out := map[string][]string{}
	web.SendTrace(a.ctx, out)
	a.sent = strings.Join(append(out["Traceparent"], out["Tracestate"]...), " ")
	return c.SendStatus(200)
}

func (a *traced) do(t *testing.T, method, path string, header ...string) int {
	t.Helper()
	a.spans.Reset()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := a.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func always() float64 { return 0 }

func TestASpanSaysWhatBecameOfTheRequest(t *testing.T) {
	a := newTraced(t, &Traces{Ratio: 1, Random: always}, true)
	for name, tc := range map[string]struct {
		method, path string
		header       []string
		span         string
		want         map[string]string
		failed       bool
	}{
		"a gated request": {"POST", "/api/points/holds/secret-id/capture?customer_id=cus_alice", []string{"Authorization", "Bearer pga_secret"}, "POST /api/points/holds/:id/capture", map[string]string{
			"http.request.method": "POST", "http.route": "/api/points/holds/:id/capture", "http.response.status_code": "200",
			"pointgate.action": "points.capture", "pointgate.decision_id": "dec_1", "pointgate.code": "ok", "pointgate.tenant": "demo",
		}, false},
		"behind a step of its own": {"GET", "/api/points/one", nil, "GET /api/points/one", map[string]string{
			"http.request.method": "GET", "http.route": "/api/points/one", "http.response.status_code": "200",
			"pointgate.action": "points.capture", "pointgate.decision_id": "dec_1", "pointgate.code": "ok", "pointgate.tenant": "demo",
		}, false},
		"the root":    {"GET", "/", nil, "GET /", map[string]string{"http.request.method": "GET", "http.route": "/", "http.response.status_code": "200"}, false},
		"no route":    {"GET", "/alice@demo.example", nil, "GET", map[string]string{"http.request.method": "GET", "http.response.status_code": "404", "pointgate.code": "not_found"}, false},
		"no such one": {"GET", "/api/points/cus_alice", nil, "GET", map[string]string{"http.request.method": "GET", "http.response.status_code": "404", "pointgate.code": "not_found"}, false},
		"method":      {"DELETE", "/api/points/one", nil, "DELETE", map[string]string{"http.request.method": "DELETE", "http.response.status_code": "405", "pointgate.code": "method_not_allowed"}, false},
		"refused":     {"GET", "/", []string{"Stop", "1"}, "GET", map[string]string{"http.request.method": "GET", "http.response.status_code": "429", "pointgate.code": "rate_limited"}, false},
		"a panic":     {"GET", "/api/points/panic", nil, "GET /api/points/panic", map[string]string{"http.request.method": "GET", "http.route": "/api/points/panic", "http.response.status_code": "500", "pointgate.code": "internal", "error.type": "internal"}, true},
		"an error":    {"GET", "/api/points/broken", nil, "GET /api/points/broken", map[string]string{"http.request.method": "GET", "http.route": "/api/points/broken", "http.response.status_code": "500", "pointgate.code": "internal", "error.type": "internal"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			status := a.do(t, tc.method, tc.path, tc.header...)
			root := a.root(t)
			got := map[string]string{}
			for _, kv := range root.Attributes {
				got[string(kv.Key)] = kv.Value.String()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || root.Name != tc.span || root.SpanKind != trace.SpanKindServer {
				t.Errorf("%q %v %s", root.Name, root.SpanKind, diff)
			}
			if want := tc.want["http.response.status_code"]; attribute.IntValue(status).String() != want {
				t.Errorf("the answer is %d, the span says %s", status, want)
			}
			if (root.Status.Code == codes.Error) != tc.failed || root.Status.Description != "" {
				t.Errorf("status %+v", root.Status)
			}
			if a.event.Route != tc.want["http.route"] {
				t.Errorf("the event's route is %q", a.event.Route)
			}
		})
	}
}

// root is the only span without a parent here.
func (a *traced) root(t *testing.T) tracetest.SpanStub {
	t.Helper()
	for _, s := range a.spans.GetSpans() {
		if s.SpanKind == trace.SpanKindServer {
			return s
		}
	}
	t.Fatal("no span")
	return tracetest.SpanStub{}
}

func TestThePartsOfTheGateAreChildren(t *testing.T) {
	a := newTraced(t, &Traces{Ratio: 1, Random: always}, true)
	a.do(t, "POST", "/api/points/holds/h/capture")
	root, got := a.root(t), map[string]time.Duration{}
	for _, s := range a.spans.GetSpans() {
		if s.Parent.SpanID() == root.SpanContext.SpanID() {
			got[s.Name] = s.EndTime.Sub(s.StartTime)
		}
	}
	if diff := cmp.Diff(map[string]time.Duration{"gate.decide": time.Millisecond, "gate.commit": time.Millisecond}, got); diff != "" {
		t.Error(diff)
	}
	if root.SpanContext.TraceID().String() != a.event.TraceID || root.SpanContext.SpanID().String() != a.event.SpanID {
		t.Errorf("the event says %s %s", a.event.TraceID, a.event.SpanID)
	}
	if !root.StartTime.Equal(a.event.Started) {
		t.Error("the span begins later than the request")
	}
}

func TestWhoDecidesWhetherARequestIsSampled(t *testing.T) {
	mine := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32")} // app.Test connects from there
	for name, tc := range map[string]struct {
		ratio, dice float64
		trusted     []netip.Prefix
		header      []string
		want        bool
		trace       string // of the event; empty: none; "own": one that is not theirs
		sent        string // how the flags went on; empty: nothing was sent on
	}{
		"our dice say yes":                             {0.5, 0.4, nil, nil, true, "own", "01"},
		"our dice say no":                              {0.5, 0.5, nil, nil, false, "", ""},
		"none at all":                                  {0, 0, nil, nil, false, "", ""},
		"all":                                          {1, 0.999, nil, nil, true, "own", "01"},
		"a stranger's flag forces nothing":             {0.5, 0.9, nil, []string{"traceparent", sampled}, false, theirTrace, "00"},
		"a stranger's flag prevents nothing":           {0.5, 0.1, nil, []string{"traceparent", unsampled}, true, theirTrace, "01"},
		"a stranger's trace id forces nothing":         {0.5, 0.9, nil, []string{"traceparent", "00-00000000000000000000000000000001-" + theirSpan + "-01"}, false, "00000000000000000000000000000001", "00"},
		"a trusted peer's flag is followed":            {0, 0.9, mine, []string{"traceparent", sampled}, true, theirTrace, "01"},
		"a trusted peer's no is followed":              {1, 0, mine, []string{"traceparent", unsampled}, false, theirTrace, "00"},
		"a trusted peer without a trace":               {0.5, 0.9, mine, nil, false, "", ""},
		"two traceparents are none":                    {0.5, 0.9, mine, []string{"traceparent", sampled, "traceparent", sampled}, false, "", ""},
		"an invalid one is none":                       {0.5, 0.9, mine, []string{"traceparent", "00-" + strings.Repeat("0", 32) + "-" + theirSpan + "-01"}, false, "", ""},
		"one in capitals is none":                      {0.5, 0.9, mine, []string{"traceparent", strings.ToUpper(sampled)}, false, "", ""},
		"one with text behind it is none":              {0.5, 0.9, mine, []string{"traceparent", sampled + "-<script>"}, false, "", ""},
		"version ff is none":                           {0.5, 0.9, mine, []string{"traceparent", "ff" + sampled[2:]}, false, "", ""},
		"a later version is read as the one we know":   {0, 0.9, mine, []string{"traceparent", "01" + sampled[2:] + "-more"}, true, theirTrace, "01"},
		"a tracestate alone is nothing":                {0.5, 0.9, mine, []string{"tracestate", "a=1"}, false, "", ""},
		"an invalid tracestate leaves the traceparent": {0.5, 0.9, nil, []string{"traceparent", sampled, "tracestate", "=,=,="}, false, theirTrace, "00"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newTraced(t, &Traces{Ratio: tc.ratio, Random: func() float64 { return tc.dice }, Trusted: tc.trusted}, true)
			a.do(t, "POST", "/api/points/holds/h/capture", tc.header...)
			if got := len(a.spans.GetSpans()) > 0; got != tc.want {
				t.Errorf("sampled %v", got)
			}
			switch own := a.event.TraceID; {
			case tc.trace == "own" && (len(own) != 32 || own == theirTrace), tc.trace != "own" && own != tc.trace:
				t.Errorf("the event's trace is %q, want %q", own, tc.trace)
			}
			if (a.event.TraceID == "") != (a.event.SpanID == "") {
				t.Errorf("a trace without a span, or the other way: %+v", a.event)
			}
			if tc.sent == "" && a.sent != "" || tc.sent != "" && !strings.HasPrefix(a.sent, "00-"+a.event.TraceID+"-"+a.event.SpanID+"-"+tc.sent) {
				t.Errorf("sent on: %q", a.sent)
			}
		})
	}
}

func TestTracestateGoesOnAndBaggageDoesNot(t *testing.T) {
	for name, on := range map[string]bool{"on": true, "off": false} {
		t.Run(name, func(t *testing.T) {
			a := newTraced(t, &Traces{Ratio: 1, Random: always}, on)
			a.do(t, "POST", "/api/points/holds/h/capture", "traceparent", sampled, "tracestate", "a=1", "tracestate", "b=2", "baggage", "who=alice")
			if !strings.HasSuffix(a.sent, " a=1,b=2") || !strings.Contains(a.sent, theirTrace) {
				t.Errorf("sent on: %q", a.sent)
			}
			if n := baggage.FromContext(a.ctx).Len(); n != 0 {
				t.Errorf("%d members of baggage", n)
			}
		})
	}
}

// TestWithoutATracerTheTraceIDIsKeptAllTheSame: the record can be found by it.
func TestWithoutATracerTheTraceIDIsKeptAllTheSame(t *testing.T) {
	a := newTraced(t, &Traces{}, false)
	a.do(t, "POST", "/api/points/holds/h/capture", "traceparent", sampled)
	if a.event.TraceID != theirTrace || a.event.SpanID != theirSpan || a.event.Route != "/api/points/holds/:id/capture" {
		t.Errorf("%+v", a.event)
	}
	a.do(t, "POST", "/api/points/holds/h/capture")
	if a.event.TraceID != "" || a.event.SpanID != "" || a.sent != "" {
		t.Errorf("%+v, sent on %q", a.event, a.sent)
	}
}

func TestEachRequestIsBegunBeforeItIsAnswered(t *testing.T) {
	var begun *web.Event
	a := newTraced(t, &Traces{Begin: func(e *web.Event) { begun = e; e.Turn = 7 }}, false)
	a.do(t, "GET", "/nowhere")
	if begun == nil || a.event != begun || a.event.Turn != 7 {
		t.Errorf("begun %+v, ended %+v", begun, a.event)
	}
}

// FuzzTraceparent: whatever a stranger sends, what we keep of it is two ids or
// nothing.
func FuzzTraceparent(f *testing.F) {
	f.Add(sampled, "a=1")
	f.Add("00-x", "=")
	f.Fuzz(func(t *testing.T, parent, state string) {
		if strings.ContainsAny(parent+state, "\r\n\x00") {
			t.Skip("no header")
		}
		c := fiber.New()
		e := &web.Event{}
		c.Get("/", func(c *fiber.Ctx) error {
			c.Request().Header.Set("traceparent", parent)
			c.Request().Header.Set("tracestate", state)
			(&Traces{}).start(c, e)
			return nil
		})
		res, err := c.Test(httptest.NewRequest("GET", "/", nil), -1)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if e.TraceID == "" && e.SpanID == "" {
			return
		}
		if _, err := trace.TraceIDFromHex(e.TraceID); err != nil {
			t.Errorf("%q: %v", e.TraceID, err)
		}
		if _, err := trace.SpanIDFromHex(e.SpanID); err != nil {
			t.Errorf("%q: %v", e.SpanID, err)
		}
	})
}

// BenchmarkWithoutATracer is what a request pays where traces are off.
func BenchmarkWithoutATracer(b *testing.B) {
	app := fiber.New()
	step := &Traces{}
	app.Get("/", func(c *fiber.Ctx) error {
		e := &web.Event{}
		b.ReportAllocs()
		for b.Loop() {
			step.start(c, e)
		}
		return nil
	})
	res, err := app.Test(httptest.NewRequest("GET", "/", nil), -1)
	if err != nil {
		b.Fatal(err)
	}
	_ = res.Body.Close()
}
