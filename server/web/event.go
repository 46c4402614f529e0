package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"regexp"
	"strings"
	"time"
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
	Action     string
	DecisionID string
	Code       string // of the problem, if the answer is one
	Status     int
	Err        error  // for the operator alone; never in an answer
	Refused    string // why the request did not come to the gate; "" if it did
}

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
		{"decision_id", e.DecisionID}, {"code", e.Code}, {"refused", e.Refused},
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
