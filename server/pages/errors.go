package pages

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
)

// ErrorPage shows what went wrong, in the words of title and detail, which hold
// nothing that the person may not know.
func (p *Pages) ErrorPage(c *fiber.Ctx, status int, title, detail string) error {
	return p.errorPage(c, status, "error_page", title, detail)
}

// Refusal shows a problem as a page: for requests of browsers that are refused
// before the gate.
func (p *Pages) Refusal(c *fiber.Ctx, problem *web.Problem) error {
	if problem.Unwrap() != nil {
		web.EventOf(c).Fail(problem.Unwrap())
	}
	return p.errorPage(c, problem.Status, problem.Code, problem.Title, problem.Detail)
}

func (p *Pages) errorPage(c *fiber.Ctx, status int, code, title, detail string) error {
	v := base(c, title)
	e := web.EventOf(c)
	v.Page = struct {
		Status                        int
		Detail, RequestID, DecisionID string
	}{status, detail, e.RequestID, e.DecisionID}
	a := page(status, "error", v)
	a.Code = code
	return a.Send(c)
}

// protect makes the route of an operation whose answers people see. It is
// gate.Handler with the refusals turned into pages.
func protect[T any](p *Pages, op gate.Operation[T]) fiber.Handler {
	return func(c *fiber.Ctx) error { return p.show(c, pass(c, p, op)) }
}

// pass takes the request through the gate.
func pass[T any](c *fiber.Ctx, p *Pages, op gate.Operation[T]) *web.Answer {
	r := web.Read(c)
	ctx, cancel := context.WithTimeout(context.Background(), p.Gate.Timeout)
	defer cancel()
	a := gate.Do(ctx, p.Gate, op, r)
	c.Set("X-Decision-Id", r.Event.DecisionID)
	return a
}

// show sends the answer of the gate. Who is not signed in, or no longer, is sent
// to do so.
func (p *Pages) show(c *fiber.Ctx, a *web.Answer) error {
	switch {
	case a.Status == fiber.StatusUnauthorized:
		back := "/account"
		if c.Method() == fiber.MethodGet {
			back = string(c.Request().URI().RequestURI())
		}
		return see("/login?return_to="+url.QueryEscape(back), a.Code).Send(c)
	case a.Status >= 400 && a.Type != fiber.MIMETextHTMLCharsetUTF8: // else it is a page already
		var problem web.Problem
		_ = json.Unmarshal(a.Body, &problem) // of our own making
		return p.errorPage(c, a.Status, a.Code, problem.Title, problem.Detail)
	}
	return a.Send(c)
}
