package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
)

// OAuth makes the handlers. All fields are set before use.
type OAuth struct {
	Provider *oauth2.Provider
	// Session is the person who is signed in at the request's tenant, and the
	// public id of the session; ok is false if there is none.
	Session func(c *fiber.Ctx) (person oauth2.Person, sessionID string, ok bool)
	// ErrorPage shows a refusal to a person, where it can't be sent to a client.
	ErrorPage func(c *fiber.Ctx, status int, title, detail string) error
}

// timeout bounds what a request waits for before its commit.
const timeout = 10 * time.Second

// wait is a context of our own: Fiber's is reused by the next request, and ends
// only with the server.
func wait() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), timeout)
}

// Token is POST /oauth2/token (RFC 6749 §3.2).
func (o *OAuth) Token() fiber.Handler {
	return endpoint(func(ctx context.Context, r *oauth2.Request) (any, error) { return o.Provider.Token(ctx, r) })
}

// Introspect is POST /oauth2/introspect (RFC 7662).
func (o *OAuth) Introspect() fiber.Handler {
	return endpoint(func(ctx context.Context, r *oauth2.Request) (any, error) { return o.Provider.Introspect(ctx, r) })
}

// Revoke is POST /oauth2/revoke (RFC 7009): 200 without a body.
func (o *OAuth) Revoke() fiber.Handler {
	return endpoint(func(ctx context.Context, r *oauth2.Request) (any, error) { return nil, o.Provider.Revoke(ctx, r) })
}

// endpoint is what the endpoints for clients have in common.
func endpoint(do func(ctx context.Context, r *oauth2.Request) (any, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r, err := readRequest(c)
		if err != nil {
			return refuse(c, r, err)
		}
		ctx, cancel := wait()
		defer cancel()
		answer, err := do(ctx, r)
		web.EventOf(c).Client = r.Client
		if err != nil {
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
