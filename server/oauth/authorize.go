package oauth

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
)

// Authorize is GET and POST /oauth2/authorize (RFC 6749 §3.1). The request is
// checked first; then whoever is not signed in goes to /login and comes back,
// and whoever is goes to /consent with the request, sealed for this person and
// session. Redirects are 303, so that no form is ever posted on (RFC 9700
// §4.12).
func (o *OAuth) Authorize() fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
		form, err := authorizeForm(c)
		if err != nil {
			return o.reject(c, err)
		}
		flow, err := o.Provider.Authorize(c.UserContext(), web.TenantOf(c), form)
		if err != nil {
			return o.reject(c, err)
		}
		web.EventOf(c).Client = flow.ClientID
		person, session, ok := o.Session(c)
		if !ok {
			return see(c, "/login?return_to="+url.QueryEscape("/oauth2/authorize?"+form.Encode()))
		}
		if err := flow.For(person.Type); err != nil {
			return o.reject(c, err)
		}
		return see(c, "/consent?flow="+o.Provider.Seal(flow, person.ID, session))
	}
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
