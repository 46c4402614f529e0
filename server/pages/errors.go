package pages

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
)

// ErrorPage shows what went wrong, in the words of title and detail, which hold
// nothing that the person may not know.
func (p *Pages) ErrorPage(c *fiber.Ctx, status int, title, detail string) error {
	return p.errorPage(c, status, "error_page", title, detail)
}

// refuse counts a request that was refused for its form and shows the problem.
func (p *Pages) refuse(c *fiber.Ctx, problem *web.Problem) error {
	p.count(c, problem)
	return p.Refusal(c, problem)
}

// count leaves a refusal in the record of those that never became an operation;
// one that did has a record of its own.
func (p *Pages) count(c *fiber.Ctx, problem *web.Problem) {
	e := web.EventOf(c)
	if e.DecisionID != "" {
		return
	}
	e.Refused = problem.Code
	if p.Count != nil {
		p.Count(e, problem)
	}
}

// Refusal shows a problem as a page: for requests of browsers that are refused
// before the gate. Whoever refuses counts; see [Pages.Count].
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
