package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"
)

// Event is opened for each request before anything else and closed with one
// access line. Rooms fill it as they learn; it belongs to the request's
// goroutine.
type Event struct {
	RequestID  string
	Started    time.Time
	Method     string
	Path       string
	IP         string
	Tenant     string
	Subject    string
	Client     string
	Proven     bool // Client has shown a credential of its own in the request
	Action     string
	DecisionID string
	Code       string // of the problem, if the answer is one
	Status     int
	Err        error  // for the operator alone; never in an answer
	Refused    string // why the request did not come to the gate; "" if it did

	Route string // the pattern that answered, e.g. /api/points/holds/:id/capture; "" where none did
	// TraceID and SpanID are W3C Trace Context ids in hexadecimal: of our span
	// where there is one, else what the caller sent; "" where neither is.
	TraceID, SpanID string
	// Turn is the count of revocations that this one began in; it belongs to
	// the metrics, and is 0 where nobody counts.
	Turn int64

	parts  [maxParts]Part
	nParts int
}

// Part is a stretch of the work on a request, for metrics and traces.
type Part struct {
	Name         string // facts, decide, prepare, commit
	Began, Ended time.Time
}

// The parts that the gate times.
const (
	PartFacts   = "facts"   // reading what the policy asks about
	PartDecide  = "decide"  // the policy, with making its input
	PartPrepare = "prepare" // long work in front of the transaction
	PartCommit  = "commit"  // from handing over the record until it is durable
)

const maxParts = 8 // a request that is decided again has parts again; more are not kept

// Spent notes a part of the work.
func (e *Event) Spent(name string, began, ended time.Time) {
	if e.nParts < maxParts {
		e.parts[e.nParts] = Part{Name: name, Began: began, Ended: ended}
		e.nParts++
	}
}

// Parts are those that were noted, in that order. The slice is the event's own.
func (e *Event) Parts() []Part { return e.parts[:e.nParts] }

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// NewEvent opens an event. An incoming request id is kept if it is of the
// agreed form, else one is minted.
func NewEvent(incoming string, now time.Time) *Event {
	id := incoming
	if !requestIDPattern.MatchString(id) {
		id = "req_" + strings.ToLower(rand.Text())
	}
	return &Event{RequestID: id, Started: now}
}

// Fail keeps err for the operator.
func (e *Event) Fail(err error) {
	if e.Err == nil {
		e.Err = err
	}
}

// Log writes the access line.
func (e *Event) Log(log *slog.Logger, now time.Time) {
	level := slog.LevelInfo
	attrs := []any{
		"request_id", e.RequestID, "method", e.Method, "path", e.Path, "status", e.Status,
		"ms", float64(now.Sub(e.Started).Microseconds()) / 1000, "ip", e.IP,
	}
	for _, a := range []struct{ k, v string }{
		{"tenant", e.Tenant}, {"subject", e.Subject}, {"client", e.Client}, {"action", e.Action},
		{"decision_id", e.DecisionID}, {"code", e.Code}, {"refused", e.Refused}, {"trace_id", e.TraceID},
	} {
		if a.v != "" {
			attrs = append(attrs, a.k, a.v)
		}
	}
	if e.Err != nil {
		attrs = append(attrs, "error", e.Err.Error())
		level = slog.LevelError
	}
	log.Log(context.Background(), level, "request", attrs...)
}

// SendTrace puts the trace that ctx belongs to on an outgoing request
// (W3C Trace Context: traceparent, tracestate), and nothing else of it: never
// baggage, which strangers fill. It does nothing where there is no trace.
func SendTrace(ctx context.Context, h http.Header) {
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
}
