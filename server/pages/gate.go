package pages

import (
	"encoding/json"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
)

// insufficient is the code of what needs a fresher or stronger login.
const insufficient = "insufficient_user_authentication"

// protect makes the route of an operation whose answers people see. It is
// gate.Handler with the refusals turned into pages.
func protect[T any](p *Pages, op gate.Operation[T]) fiber.Handler {
	return func(c *fiber.Ctx) error { return p.show(c, pass(c, p, op)) }
}

// pass takes the request through the gate.
func pass[T any](c *fiber.Ctx, p *Pages, op gate.Operation[T]) *web.Answer {
	r := web.Read(c)
	a := gate.Do(c.UserContext(), p.Gate, op, r)
	decided(c, r.Event)
	return a
}

// decided names the decision in whatever the answer becomes.
func decided(c *fiber.Ctx, e *web.Event) {
	if e.DecisionID != "" {
		c.Set("X-Decision-Id", e.DecisionID)
	}
}

// show sends the answer of the gate. Who is not signed in, or no longer, or not
// well enough for this (RFC 9470), is sent to do so.
func (p *Pages) show(c *fiber.Ctx, a *web.Answer) error {
	switch {
	case a.Status == fiber.StatusUnauthorized:
		back := "/account"
		if c.Method() == fiber.MethodGet {
			back = string(c.Request().URI().RequestURI())
		}
		login := "/login?return_to=" + url.QueryEscape(back)
		if a.Code == insufficient {
			login += "&again=true" // or who is signed in would come straight back
		}
		return see(login, a.Code).Send(c)
	case a.Status >= 400 && a.Type != fiber.MIMETextHTMLCharsetUTF8: // else it is a page already
		var problem web.Problem
		_ = json.Unmarshal(a.Body, &problem) // of our own making
		return p.errorPage(c, a.Status, a.Code, problem.Title, problem.Detail)
	}
	return a.Send(c)
}
