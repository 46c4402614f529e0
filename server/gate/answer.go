package gate

import (
	"errors"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// question puts what is known into the one shape that rules see.
func question(c *Call, res policies.Resource, facts policies.Facts) *policies.Request {
	k := c.Caller
	q := &policies.Request{
		Subject:  policies.Subject{Type: k.Type, ID: k.ID, Roles: k.Roles, Tenant: k.Tenant},
		Action:   c.Action,
		Resource: res,
		Context: policies.Context{
			Method: k.Method, Status: string(k.Status), AMR: k.AMR, Bound: k.Bound, Fault: k.Fault,
			ClientID: k.ClientID, Trusted: k.Trusted, Actor: k.Actor, Scopes: k.Scopes,
			Tenant: c.Tenant.ID, Home: c.Tenant.Home,
			RequestID: c.Event.RequestID, HTTP: c.Method, Path: web.SafePath(c.Path), IP: c.Origin.IP,
			Time: c.Now, Facts: facts,
		},
	}
	since := k.AuthTime
	if since.IsZero() {
		since = k.IssuedAt
	} else {
		q.Context.ACR = k.ACR // never where the age is not that of the login
	}
	if !since.IsZero() {
		q.Context.Age = max(0, int64(c.Now.Sub(since).Seconds()))
	}
	return q
}

// denial is what the caller learns of a refusal: the code, and how to do better.
func denial(c *Call) *web.Answer {
	d := c.Decision
	var detail string
	if len(d.Reasons) > 0 {
		detail = d.Reasons[0].Message
	}
	p := web.NewDenial(d.Code, d.Status, detail)
	if d.Code == "missing_scope" {
		p.Needed, p.Provided = d.Needed, c.Caller.Scopes
		if p.Provided == nil {
			p.Provided = []string{}
		}
	}
	stepUp(d, p)
	a := p.Answer(c.Event)
	if a.Header = challenge(c, p); a.Header != nil {
		a.Header["WWW-Authenticate"] += beside(c, p)
	}
	return a
}

// told is an error that knows its answer: a [web.Problem], or a refusal in the
// words of another protocol.
type told interface {
	error
	Answer(e *web.Event) *web.Answer
}

// problemOf maps the kinds of error that leave the store; nil means internal.
func problemOf(err error) told {
	var known told
	var conflict *store.Conflict
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &conflict):
		return web.NewProblem(conflict.Code, conflict.Detail)
	case errors.Is(err, store.ErrNotFound):
		return web.NewProblem("not_found", "There is no such object.")
	case errors.Is(err, store.ErrExists):
		return web.NewProblem("conflict", "An object with this id or name is there already.")
	case errors.Is(err, store.ErrConflict):
		return web.NewProblem("conflict", "The object's state does not permit this.")
	case errors.Is(err, store.ErrInvalid):
		return web.NewProblem("validation_failed", "The store can't keep this value.")
	}
	return nil
}

// unrecorded is the answer where the log could not be written. It names no
// decision: there is no record of that id.
func unrecorded(c *Call, err error) *web.Answer {
	c.Event.DecisionID = ""
	return c.worded(web.NewProblem("audit_unavailable", "Nothing was changed; try again later.").Because(err).Answer(c.Event))
}
