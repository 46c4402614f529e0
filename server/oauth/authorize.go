package oauth

import (
	"net/url"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
)

// Authorize is GET and POST /oauth2/authorize (RFC 6749 §3.1). The request is
// checked first, all of it. Redirects are 303, so that no form is ever posted on
// (RFC 9700 §4.12).
func (o *OAuth) Authorize() fiber.Handler {
	return func(c *fiber.Ctx) error {
		private(c)
		form, err := authorizeForm(c)
		if err != nil {
			return o.reject(c, err)
		}
		if done, err := o.document(c, form); done {
			return err
		}
		flow, err := o.Provider.Authorize(c.UserContext(), web.TenantOf(c), form)
		if err != nil {
			return o.reject(c, err)
		}
		return o.proceed(c, flow)
	}
}

// continueAt is where the login page leads, with the request sealed.
const continueAt = "/oauth2/authorize/continue"

// Continue is GET /oauth2/authorize/continue: an authorization request goes on
// after a login.
func (o *OAuth) Continue() fiber.Handler {
	return func(c *fiber.Ctx) error {
		private(c)
		flow, err := o.Provider.OpenLogin(utils.CopyString(c.Query("flow")), web.TenantOf(c).ID)
		if err != nil {
			o.count(c, oauth2.BadRequest("The request is no longer open."), "")
			return o.ErrorPage(c, fiber.StatusBadRequest, "This request is no longer open",
				"It waited for too long. Please go back to the app and connect again.")
		}
		return o.proceed(c, flow)
	}
}

// proceed takes a request that is good on: whoever is not signed in, or not as
// the client demands, goes to /login and comes back; whoever is goes to /consent
// with the request, sealed for this person and session, unless they allowed all
// of it before. What no page may be shown for goes back to the client.
func (o *OAuth) proceed(c *fiber.Ctx, flow *oauth2.Flow) error {
	web.EventOf(c).Client = flow.ClientID
	person, session, ok := o.Session(c)
	suits := ok && flow.Suits(person)
	switch {
	case !suits && flow.Silent:
		return o.reject(c, flow.Refuse("login_required"))
	case !suits:
		return see(c, "/login?return_to="+url.QueryEscape(continueAt+"?flow="+o.Provider.SealLogin(flow)))
	}
	if err := flow.For(person.Type); err != nil {
		return o.reject(c, err)
	}
	switch a, err := o.again(c, flow, person); {
	case err != nil:
		return o.reject(c, err)
	case a != nil:
		return a.Send(c)
	}
	if flow.Silent {
		return o.reject(c, flow.Refuse("consent_required"))
	}
	return see(c, "/consent?flow="+o.Provider.Seal(flow, person.ID, session))
}

// again is the answer where the person gave the client all of it before, and
// need not be asked; nil: they must be. The policy decides as it does where they
// are, and what it does not give without a question it may give with one.
func (o *OAuth) again(c *fiber.Ctx, flow *oauth2.Flow, who oauth2.Person) (*web.Answer, error) {
	p, err := o.Provider.ApproveAgain(recording(c), flow, who)
	if err != nil || p == nil {
		return nil, err
	}
	a := decide(c, o.Gate, p, func(to string) *web.Answer { return goTo(to, "ok") }, nil)
	switch {
	case a.Status >= fiber.StatusInternalServerError:
		return nil, oauth2.Unavailable()
	case a.Status >= fiber.StatusBadRequest:
		return nil, nil
	}
	return a, nil
}

// private keeps what is answered out of caches, and where it was asked to itself.
func private(c *fiber.Ctx) {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
}

// authorizeForm is the query of a GET, the body of a POST.
func authorizeForm(c *fiber.Ctx) (url.Values, error) {
	query := c.Request().URI().QueryString()
	switch {
	case c.Method() == fiber.MethodPost && len(query) > 0:
		return nil, oauth2.BadRequest("Parameters are in the URL and in the body.")
	case c.Method() == fiber.MethodPost:
		return body(c, maxAuthorize)
	case len(query) > maxAuthorize:
		return nil, tooLarge()
	}
	form, err := parseForm(string(query))
	if err != nil {
		return nil, oauth2.BadRequest("The query can not be parsed.")
	}
	return form, nil
}

// reject sends the refusal to the client where its address is sure, and else
// shows it: an address that is not registered gets nothing, not even an error.
func (o *OAuth) reject(c *fiber.Ctx, err error) error {
	o.count(c, err, web.EventOf(c).Client)
	e := errorOf(c, err)
	if e.Redirect != "" {
		return see(c, e.Redirect)
	}
	status := e.Status
	if status == fiber.StatusUnauthorized {
		status = fiber.StatusBadRequest // there is nothing to log in to
	}
	return o.ErrorPage(c, status, "This app can't be connected", e.Description)
}

func see(c *fiber.Ctx, location string) error {
	web.EventOf(c).Status = fiber.StatusSeeOther
	return c.Redirect(location, fiber.StatusSeeOther)
}
