package server

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/pointgate/pointgate/server/edge"
	"github.com/pointgate/pointgate/server/web"
)

// requestTimeout bounds what a request may wait for before its commit.
const requestTimeout = 10 * time.Second

// pipeline is the one ordered list of what every request passes. Authentication,
// the limit by credential and the gate follow in routes.go, where the route says
// which kind of credential it takes.
func (r *rooms) pipeline(app *fiber.App) {
	events := &edge.Events{Log: r.log, Now: r.now, Refuse: r.refusals.Refuse, Done: r.done, Timeout: requestTimeout}
	origins := &edge.Origins{Trusted: r.trusted, CertificateHeader: r.certificates, Tenant: r.store.TenantFor, Refuse: r.refusals.Refuse}
	cors := &edge.CORS{Refuse: r.refusals.Refuse}
	checks := &edge.Checks{Refuse: r.refusals.Refuse}
	for _, step := range []fiber.Handler{
		events.Step(),        // the id, the access line, the guard against panics
		r.traces.Step(),      // the route, the trace
		origins.Step(),       // whence, and for which tenant
		edge.Headers(),       // security headers on whatever is answered
		r.limits.ByAddress(), // before any work is done for strangers
		cors.Step(),
		checks.Step(), // size, type, doubled headers
	} {
		app.Use(step)
	}
}

// knownMethods refuses a method that HTTP doesn't have before Fiber would, with
// an answer of its own that carries no request id, and a version that is not
// HTTP/1, which fasthttp would take for it.
func (r *rooms) knownMethods(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(c *fasthttp.RequestCtx) {
		if v := string(c.Request.Header.Protocol()); v != "HTTP/1.1" && v != "HTTP/1.0" {
			r.bare(c, web.BadRequest("This is not a request of HTTP/1.1."))
			return
		}
		switch string(c.Method()) {
		case fiber.MethodGet, fiber.MethodHead, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete, fiber.MethodOptions, fiber.MethodTrace, fiber.MethodConnect:
			next(c)
		default:
			r.bare(c, web.NewProblem("method_not_allowed", "There is no such method here."))
		}
	}
}

// unreadable answers what is not HTTP, or too large to be read.
func (r *rooms) unreadable(c *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	if errors.Is(err, fasthttp.ErrBodyTooLarge) || errors.As(err, &small) {
		r.bare(c, web.NewProblem("too_large", "The head may have 16 KiB, the body 64 KiB."))
		return
	}
	r.bare(c, web.BadRequest("This is not a request of HTTP/1.1."))
}

// bare answers outside of Fiber, with an id and a sum in the log all the same.
func (r *rooms) bare(c *fasthttp.RequestCtx, p *web.Problem) {
	e := web.NewEvent("", r.now())
	e.Refused = p.Code
	if ip := c.RemoteIP(); ip != nil {
		e.IP = ip.String()
	}
	r.refusals.Count(e, p)
	a := p.Answer(e)
	c.Response.Reset()
	c.Response.Header.Set("X-Request-Id", e.RequestID)
	c.Response.Header.Set("Cache-Control", "no-store")
	c.Response.Header.Set("X-Content-Type-Options", "nosniff")
	c.SetContentType(a.Type)
	c.SetStatusCode(a.Status)
	c.SetConnectionClose()
	c.SetBody(a.Body)
	e.Status = a.Status
	e.Log(r.log, r.now())
	if r.done != nil {
		r.done(e, r.now().Sub(e.Started))
	}
}
