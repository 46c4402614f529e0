package oauth

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
)

// OAuth makes the handlers. All fields but Count are set before use.
type OAuth struct {
	Provider *oauth2.Provider
	// Session is the person who is signed in at the request's tenant, and the
	// public id of the session; ok is false if there is none.
	Session func(c *fiber.Ctx) (person oauth2.Person, sessionID string, ok bool)
	// ErrorPage shows a refusal to a person, where it can't be sent to a client.
	ErrorPage func(c *fiber.Ctx, status int, title, detail string) error
	// Count sums up a request that was refused, for the client that it named
	// without proof, if there is such a client. Nil: nobody counts.
	Count func(e *web.Event, p *web.Problem, client string)
}

// Token is POST /oauth2/token (RFC 6749 §3.2).
func (o *OAuth) Token() fiber.Handler {
	return o.endpoint(func(ctx context.Context, r *oauth2.Request) (any, error) { return o.Provider.Token(ctx, r) })
}

// Introspect is POST /oauth2/introspect (RFC 7662).
func (o *OAuth) Introspect() fiber.Handler {
	return o.endpoint(func(ctx context.Context, r *oauth2.Request) (any, error) { return o.Provider.Introspect(ctx, r) })
}

// Revoke is POST /oauth2/revoke (RFC 7009): 200 without a body.
func (o *OAuth) Revoke() fiber.Handler {
	return o.endpoint(func(ctx context.Context, r *oauth2.Request) (any, error) { return nil, o.Provider.Revoke(ctx, r) })
}

// endpoint is what the endpoints for clients have in common.
func (o *OAuth) endpoint(do func(ctx context.Context, r *oauth2.Request) (any, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r, err := readRequest(c)
		if err != nil {
			o.count(c, err, "")
			return refuse(c, r, err)
		}
		answer, err := do(recording(c), r)
		web.EventOf(c).Client = r.Client
		if err != nil {
			o.count(c, err, r.Client+r.Claimed) // at most one of them
			return refuse(c, r, err)
		}
		return accept(c, answer)
	}
}

// errorOf is the refusal in err; anything else is a fault of ours.
func errorOf(c *fiber.Ctx, err error) *oauth2.Error {
	var e *oauth2.Error
	if !errors.As(err, &e) {
		e = &oauth2.Error{Code: "server_error", Status: fiber.StatusInternalServerError, Description: "Something went wrong."}
	}
	event := web.EventOf(c)
	event.Code = e.Code
	if e.Status >= fiber.StatusInternalServerError {
		event.Fail(err)
	}
	return e
}

// recording lets what is called write records that name this request.
func recording(c *fiber.Ctx) context.Context {
	return web.WithEvent(c.UserContext(), web.EventOf(c))
}

// count leaves a refusal among those that the log sums up: nothing was given, so
// it needs no record of its own, and guessing must not fill the disk. A request
// that could not be read has the code that the other endpoints have for it.
func (o *OAuth) count(c *fiber.Ctx, err error, client string) {
	refused := errorOf(c, err)
	p := &web.Problem{Code: refused.Code, Status: refused.Status}
	switch {
	case refused.Status >= fiber.StatusInternalServerError:
		return
	case refused.Status == fiber.StatusRequestEntityTooLarge:
		p = web.NewProblem("too_large", "")
	}
	e := web.EventOf(c)
	e.Refused = p.Code
	if o.Count != nil {
		o.Count(e, p, client)
	}
}
