package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
)

// OAuth makes the handlers. All fields but those that say what nil means are set before use.
type OAuth struct {
	Gate     *gate.Gate
	Provider *oauth2.Provider
	// Session is the person who is signed in at the request's tenant, and the
	// public id of the session; ok is false if there is none.
	Session func(c *fiber.Ctx) (person oauth2.Person, sessionID string, ok bool)
	// ErrorPage shows a refusal to a person, where it can't be sent to a client.
	ErrorPage func(c *fiber.Ctx, status int, title, detail string) error
	// Throttle charges one registration or device to the key, of which so many may
	// be made in a minute, and says how long to wait if it is over. Nil: no throttling.
	Throttle func(key string, perMinute int) (wait time.Duration, ok bool)
	// Count sums up a request that was refused, for the client that it named
	// without proof, if there is such a client. Nil: nobody counts.
	Count func(e *web.Event, p *web.Problem, client string)
}

// Token is POST /oauth2/token (RFC 6749 §3.2).
func (o *OAuth) Token() fiber.Handler {
	return o.endpoint(func(c *fiber.Ctx, r *oauth2.Request) (*web.Answer, error) {
		p, err := o.Provider.Token(recording(c), r)
		if err != nil {
			return nil, err
		}
		denied := "unauthorized_client"
		if p.Action == "token.exchange" {
			denied = "invalid_request" // RFC 8693 §2.2.2: a token that is not acceptable by policy
		}
		return decide(c, o.Gate, p, func(a *oauth2.Answer) *web.Answer { return web.JSON(fiber.StatusOK, a) }, rfc(denied)), nil
	})
}

// Introspect is POST /oauth2/introspect (RFC 7662). What the policy does not let
// the client know is not there.
func (o *OAuth) Introspect() fiber.Handler {
	return o.endpoint(func(c *fiber.Ctx, r *oauth2.Request) (*web.Answer, error) {
		q, err := o.Provider.Introspect(recording(c), r)
		if err != nil {
			return nil, err
		}
		return ask(c, o.Gate, &q.Act, func() *web.Answer { return web.JSON(fiber.StatusOK, q.Answer) }, unknown), nil
	})
}

// unknown is the answer about a token that the client may not know of.
func unknown(a *web.Answer) *web.Answer {
	if a.Status >= fiber.StatusInternalServerError {
		return rfc("")(a)
	}
	return instead(a, web.JSON(fiber.StatusOK, oauth2.Introspection{}))
}

// Revoke is POST /oauth2/revoke (RFC 7009): 200 with an empty body, which is
// called JSON all the same: simple-oauth2 throws away a revocation that worked
// if it is not.
func (o *OAuth) Revoke() fiber.Handler {
	return o.endpoint(func(c *fiber.Ctx, r *oauth2.Request) (*web.Answer, error) {
		return &web.Answer{Status: fiber.StatusOK, Code: "ok"}, o.Provider.Revoke(recording(c), r)
	})
}

// pushes are how many requests of public clients an address may push in a
// minute: each leaves a row and a record, and anybody can say that they are one.
const pushes = 60

// Push is POST /oauth2/par (RFC 9126).
func (o *OAuth) Push() fiber.Handler {
	return o.endpoint(func(c *fiber.Ctx, r *oauth2.Request) (*web.Answer, error) {
		p, err := o.Provider.Push(recording(c), r)
		if err == nil && p.Client.Public {
			err = o.slow(c, "push", pushes)
		}
		if err != nil {
			return nil, err
		}
		return decide(c, o.Gate, p, func(a *oauth2.Pushed) *web.Answer { return web.JSON(fiber.StatusCreated, a) }, rfc("unauthorized_client")), nil
	})
}

// endpoint is what the endpoints for clients have in common.
func (o *OAuth) endpoint(do func(c *fiber.Ctx, r *oauth2.Request) (*web.Answer, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r, err := readRequest(c)
		if err != nil {
			o.count(c, err, "")
			return refuse(c, r, err)
		}
		answer, err := do(c, r)
		e := web.EventOf(c)
		e.Client, e.Proven = r.Client, r.Proven
		if r.Nonce != "" {
			c.Set("DPoP-Nonce", r.Nonce)
		}
		if err != nil {
			o.count(c, err, r.Client+r.Claimed) // at most one of them
			return refuse(c, r, err)
		}
		uncached(c)
		return answer.Send(c)
	}
}

// Approve makes a grant of what a person ticked, and is the answer that takes
// the browser to the client; a problem is to be shown. Nothing useful ticked is a
// denial.
func (o *OAuth) Approve(c *fiber.Ctx, f *oauth2.Flow, who oauth2.Person, ticked []string) *web.Answer {
	granted := f.Ticked(who.Type, ticked)
	if len(granted) == 0 {
		return o.Deny(c, f, who)
	}
	p, err := o.Provider.Approve(recording(c), f, who, granted)
	if err != nil {
		return o.stays(c, err)
	}
	a := decide(c, o.Gate, p, func(to string) *web.Answer { return goTo(to, "ok") }, func(problem *web.Answer) *web.Answer {
		if problem.Status >= fiber.StatusInternalServerError {
			return problem
		}
		return instead(problem, goTo(f.Refused(oauth2.PolicyDenied("access_denied", problem.Code)), problem.Code))
	})
	if a.Type == web.ProblemType || a.Status < fiber.StatusBadRequest {
		return a
	}
	return closed(a.Code)
}

// Deny records a person's no, and is the answer that takes it to the client.
func (o *OAuth) Deny(c *fiber.Ctx, f *oauth2.Flow, who oauth2.Person) *web.Answer {
	to, err := o.Provider.Deny(recording(c), f, who)
	if err != nil {
		return o.stays(c, err)
	}
	return goTo(to, "access_denied")
}

// stays is the answer where the browser can't be sent on.
func (o *OAuth) stays(c *fiber.Ctx, err error) *web.Answer {
	e := errorOf(c, err)
	switch {
	case e.Redirect != "":
		return goTo(e.Redirect, e.Code)
	case e.Status >= fiber.StatusInternalServerError:
		return web.NewProblem("store_unavailable", "Nothing was allowed. Please try again in a minute.").Because(err).Answer(web.EventOf(c))
	}
	return closed(e.Code)
}

// closed is the problem of a request that is no longer open.
func closed(code string) *web.Answer {
	a := web.BadRequest("The request is no longer open.").Answer(nil)
	a.Code = code
	return a
}

func goTo(location, code string) *web.Answer {
	return &web.Answer{Status: fiber.StatusSeeOther, Code: code, Header: map[string]string{fiber.HeaderLocation: location, fiber.HeaderCacheControl: "no-store"}}
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
	case refused.Status >= fiber.StatusInternalServerError, refused.Code == "authorization_pending":
		return // the latter refuses nothing: it is how a device waits
	case refused.Status == fiber.StatusRequestEntityTooLarge:
		p = web.NewProblem("too_large", "")
	}
	e := web.EventOf(c)
	e.Refused = p.Code
	if o.Count != nil {
		o.Count(e, p, client)
	}
}
