package pages

import (
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type consentView struct {
	App, Host, Account, Flow string
	From                     string // the host of a client that is a document
	At                       string // the server that it is for, where that is not this one
	Scopes                   []scopeView
}

type scopeView struct {
	Name, Text string
	New        bool // the app has had others before
}

// Consent asks the person what an app may do.
func (p *Pages) Consent() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r, k := web.Read(c), authn.SignedIn(c)
		sealed := query(r, "flow")
		if k == nil {
			return see("/login?return_to="+url.QueryEscape("/consent?flow="+url.QueryEscape(sealed)), "missing_credentials").Send(c)
		}
		f, err := p.Consents.OpenFlow(sealed, k.ID, k.GrantID)
		if err != nil {
			return p.noFlow(c)
		}
		u, err := store.GetUser(c.UserContext(), p.Store, k.Tenant, k.ID)
		if err != nil {
			return p.Refusal(c, web.NewProblem("store_unavailable", "Nothing was changed. Please try again in a minute.").Because(err))
		}
		given, err := p.Consents.Remembered(c.UserContext(), f, k.ID)
		if err != nil {
			return p.Refusal(c, web.NewProblem("store_unavailable", "Nothing was changed. Please try again in a minute.").Because(err))
		}
		v := base(c, "Allow "+f.ClientName+"?")
		v.CSRF, v.formTo, v.Person = p.Forms.Token(k), formTarget(f.RedirectURI), u.Email
		v.Page = consentView{App: f.ClientName, Host: f.RedirectHost, From: f.ClientHost, Account: u.Email, Flow: sealed, At: f.ResourceName, Scopes: asked(k.Type, f.Scopes, given)}
		return page(fiber.StatusOK, "consent", v).Send(c)
	}
}

func asked(person string, scopes, given []string) []scopeView {
	out := make([]scopeView, len(scopes))
	for i, text := range words(person, scopes) {
		out[i] = scopeView{Name: scopes[i], Text: text, New: len(given) > 0 && !slices.Contains(given, scopes[i])}
	}
	return out
}

// PostConsent carries out what the person answered.
func (p *Pages) PostConsent() fiber.Handler {
	return func(c *fiber.Ctx) error {
		r, k := web.Read(c), authn.SignedIn(c)
		if k == nil {
			p.count(c, web.NewProblem("missing_credentials", "The person is signed out."))
			return p.errorPage(c, fiber.StatusForbidden, "missing_credentials", "You are signed out",
				"Nothing was allowed. Please go back to the app and connect again.")
		}
		in, fault := p.signedForm(r, "scope")
		if fault != nil {
			return p.refuse(c, fault)
		}
		f, err := p.Consents.OpenFlow(in.Get("flow"), k.ID, k.GrantID)
		if err != nil {
			return p.noFlow(c)
		}
		person := personOf(k)
		switch in.Get("decision") {
		case "approve":
			return p.answered(c, p.Answers.Approve(c, f, person, in["scope"]))
		case "deny":
			return p.answered(c, p.Answers.Deny(c, f, person))
		}
		return p.refuse(c, web.BadRequest("Answer with Allow or Deny."))
	}
}

// answered is the end of a consent: the browser goes on, if all was recorded.
func (p *Pages) answered(c *fiber.Ctx, a *web.Answer) error {
	decided(c, web.EventOf(c))
	if a.Status == fiber.StatusBadRequest {
		return p.noFlow(c)
	}
	return p.show(c, a)
}

// noFlow is the end of a request that is too old, was answered already, or is
// somebody else's. Which of these it is helps nobody who is honest.
func (p *Pages) noFlow(c *fiber.Ctx) error {
	p.count(c, web.BadRequest("The request is no longer open."))
	return p.errorPage(c, fiber.StatusBadRequest, "invalid_request", "This request is no longer open",
		"It was answered already, or waited for too long. Please go back to the app and connect again.")
}
