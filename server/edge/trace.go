package edge

import (
	"context"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/pointgate/pointgate/server/web"
)

// Traces is the step behind [Events] that puts the route and the trace on the
// event, and makes the spans of those requests that are sampled. A span holds
// no path, no query, no address, no person and no credential.
//
// The trace id that a caller sends (W3C Trace Context) is kept, sampled or not,
// so that the record can be found by it. Whether a request is sampled is decided
// here: the sampled flag of a stranger would let anybody have everything
// exported, and so would a ratio over a trace id that the stranger chooses.
type Traces struct {
	// Tracer makes the spans and samples all that it is asked for; nil: there
	// are none.
	Tracer trace.Tracer
	// Ratio of the requests, from 0 to 1, is sampled by Random, which is from 0
	// up to 1 and safe for concurrent use.
	Ratio  float64
	Random func() float64
	// Trusted are the peers whose own decision is followed in both directions:
	// proxies that begin the trace, not such as pass on what strangers send.
	Trusted []netip.Prefix
	// Begin is told of each request before its credentials are looked at; nil:
	// nobody.
	Begin func(e *web.Event)
}

// Step begins the trace and ends it. It stands right behind the step of
// [Events], so that refusals have their spans too.
func (t *Traces) Step() fiber.Handler {
	var all endpoints
	return func(c *fiber.Ctx) (err error) {
		e := web.EventOf(c)
		if t.Begin != nil {
			t.Begin(e)
		}
		span := t.start(c, e)
		err = errPanic // unless Next returns
		defer func() {
			e.Route = all.route(c)
			if span != nil {
				t.end(c, e, span, err)
			}
		}()
		err = c.Next()
		return err
	}
}

// errPanic is what a span sees of a panic, which goes on to [Events].
var errPanic = fiber.NewError(fiber.StatusInternalServerError)

// start joins the caller's trace and makes a span; nil: this one is not sampled.
func (t *Traces) start(c *fiber.Ctx, e *web.Event) trace.Span {
	ctx, believed := c.UserContext(), false
	var remote trace.SpanContext
	if len(c.Request().Header.Peek("Traceparent")) > 0 {
		remote = trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier{&c.Request().Header}))
		believed = remote.IsValid() && t.trusts(c)
	}
	if remote.IsValid() {
		if !believed { // nor shall others sample because a stranger says so
			remote = remote.WithTraceFlags(remote.TraceFlags() &^ trace.FlagsSampled)
		}
		ctx = trace.ContextWithRemoteSpanContext(ctx, remote)
		e.TraceID, e.SpanID = remote.TraceID().String(), remote.SpanID().String()
		c.SetUserContext(ctx)
	}
	if t.Tracer == nil || (believed && !remote.IsSampled()) || (!believed && t.Random() >= t.Ratio) {
		return nil
	}
	ctx, span := t.Tracer.Start(ctx, e.Method, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(e.Started))
	own := span.SpanContext()
	e.TraceID, e.SpanID = own.TraceID().String(), own.SpanID().String()
	c.SetUserContext(ctx)
	return span
}

// end says what became of the request. An error that came here is answered by
// [Events] afterwards, in the words of problemOf.
func (t *Traces) end(c *fiber.Ctx, e *web.Event, span trace.Span, err error) {
	status, code := c.Response().StatusCode(), e.Code
	if err != nil {
		p := problemOf(c, err)
		status, code = p.Status, p.Code
	}
	if code == "" && e.DecisionID != "" {
		code = "ok"
	}
	name := e.Method
	attributes := append(make([]attribute.KeyValue, 0, 8), attribute.String("http.request.method", e.Method), attribute.Int("http.response.status_code", status))
	if e.Route != "" {
		name += " " + e.Route
	}
	for _, a := range [...]struct{ key, value string }{
		{"http.route", e.Route}, {"pointgate.action", e.Action}, {"pointgate.decision_id", e.DecisionID},
		{"pointgate.code", code}, {"pointgate.tenant", e.Tenant},
	} {
		if a.value != "" {
			attributes = append(attributes, attribute.String(a.key, a.value))
		}
	}
	span.SetName(name)
	span.SetAttributes(attributes...)
	if status >= fiber.StatusInternalServerError {
		span.SetStatus(codes.Error, "") // the cause stays in the log: it may name people
		span.SetAttributes(attribute.String("error.type", code))
	}
	within := trace.ContextWithSpan(context.Background(), span)
	for _, p := range e.Parts() {
		_, part := t.Tracer.Start(within, "gate."+p.Name, trace.WithTimestamp(p.Began))
		part.End(trace.WithTimestamp(p.Ended))
	}
	span.End()
}

func (t *Traces) trusts(c *fiber.Ctx) bool {
	peer, _ := netip.AddrFromSlice(addressOf(c.Context().RemoteAddr()))
	peer = peer.Unmap()
	for _, p := range t.Trusted {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}

// carrier gives copies of the headers. One that is sent more than once becomes
// a list: right for tracestate, and no valid traceparent.
type carrier struct{ header *fasthttp.RequestHeader }

// Get implements propagation.TextMapCarrier.
func (k carrier) Get(name string) string {
	lines := k.header.PeekAll(name)
	all := make([]string, len(lines))
	for i, line := range lines {
		all[i] = string(line)
	}
	return strings.Join(all, ",")
}

// Set implements propagation.TextMapCarrier; nothing is put on a request that came in.
func (carrier) Set(string, string) {}

// Keys implements propagation.TextMapCarrier.
func (carrier) Keys() []string { return nil }
