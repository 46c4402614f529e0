package gate

import (
	"context"
	"fmt"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Act is something that the program does by itself, such as letting points expire.
type Act struct {
	Tenant   *store.Tenant
	Action   string
	Resource policies.Resource
	Facts    policies.Facts
	// Request is the one that caused the act, for its id and where it came from;
	// nil: nobody's.
	Request *web.Request
	Effect  func(ctx context.Context, tx *store.Tx, c *Call) error
}

// System takes an act through the gate: it is decided for the subject type
// "system" and recorded like any request.
func (g *Gate) System(ctx context.Context, act Act) error {
	r := &web.Request{Event: web.NewEvent("", g.Now()), Header: func(string) string { return "" }}
	if act.Request != nil {
		*r = *act.Request
	}
	r.Tenant = act.Tenant
	r.Caller = &web.Caller{Method: "internal", Status: web.Valid, Type: "system", ID: "pointgate", Tenant: act.Tenant.ID}
	a := Do(ctx, g, Operation[struct{}]{
		Action: act.Action,
		Facts: func(context.Context, store.Reader, *Call, *struct{}) (policies.Resource, policies.Facts, error) {
			return act.Resource, act.Facts, nil
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *Call, _ *struct{}) (*web.Answer, error) {
			return &web.Answer{Status: 204, Code: "ok"}, act.Effect(ctx, tx, c)
		},
	}, r)
	if a.Status != 204 {
		return &Refused{Action: act.Action, Code: a.Code, Status: a.Status, cause: r.Event.Err}
	}
	return nil
}

// Refused is the error of an act that was denied, or could not be carried out.
type Refused struct {
	Action string
	Code   string // as of an answer
	Status int
	cause  error
}

// Error implements error.
func (e *Refused) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s (%d): %v", e.Action, e.Code, e.Status, e.cause)
	}
	return fmt.Sprintf("%s: %s (%d)", e.Action, e.Code, e.Status)
}

// Unwrap gives the cause, or nil.
func (e *Refused) Unwrap() error { return e.cause }
