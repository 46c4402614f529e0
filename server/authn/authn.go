package authn

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Method is one way to say who is calling. It is safe for concurrent use.
type Method interface {
	// Name is how the policy and the records call it.
	Name() string
	// Find reports whether the credentials are of this method, good or not, by
	// their form alone.
	Find(c *Credentials) bool
	// Authenticate turns them into facts. What is false, expired or revoked is
	// a status of the caller; an error means that nobody knows.
	Authenticate(ctx context.Context, c *Credentials) (web.Caller, error)
}

// Authenticator asks its methods, in order; the first that finds its
// credentials decides. All fields are set before use.
type Authenticator struct {
	Explicit []Method // by a header: for the API
	Session  Method   // by the cookie: for pages
	// Nonce is what a DPoP proof may name; it goes with every answer to one.
	Nonce func(t *store.Tenant) string
	// Refuse answers a request that does not come to the gate.
	Refuse func(c *fiber.Ctx, p *web.Problem) error
}

// API is the step for routes that take explicit credentials. Cookies are not
// looked at, so no page of another site can use them here.
func (a *Authenticator) API() fiber.Handler { return a.step(a.Explicit, false) }

// Pages is the step for routes that people visit: the session, unless there is
// an Authorization header, which then must be good.
func (a *Authenticator) Pages() fiber.Handler {
	return a.step(append([]Method{a.Session}, a.Explicit...), true)
}

func (a *Authenticator) step(methods []Method, cookies bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if p := misplaced(c); p != nil {
			return a.Refuse(c, p)
		}
		credentials := read(c, cookies)
		if credentials.Scheme == schemeDPoP {
			c.Set("DPoP-Nonce", a.Nonce(credentials.Tenant))
		}
		caller, err := identify(c.UserContext(), methods, credentials)
		caller.DPoP = credentials.Scheme == schemeDPoP
		if err != nil {
			return a.Refuse(c, web.NewProblem("store_unavailable", "Nothing was changed; try again later.").Because(err))
		}
		web.SetCaller(c, &caller)
		return c.Next()
	}
}

func identify(ctx context.Context, methods []Method, c *Credentials) (web.Caller, error) {
	for _, m := range methods {
		if m.Find(c) {
			return m.Authenticate(ctx, c)
		}
	}
	if c.Scheme == "" && c.Session == "" {
		return web.Anonymous("none", web.Missing), nil
	}
	return web.Anonymous("none", web.Invalid), nil
}
