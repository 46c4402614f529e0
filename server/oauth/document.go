package oauth

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
)

// How many documents of clients an address makes the server read in a minute,
// and how many are read of one host: by several addresses, so that none of them
// can keep a host's clients from everybody.
const (
	documents       = 10
	documentsOfHost = 60
)

// document reads the document of the client that an authorization request names,
// where that is needed; done says that the answer is sent. Who is not signed in
// goes to do so first: strangers can't make this server call anybody.
func (o *OAuth) document(c *fiber.Ctx, form url.Values) (done bool, err error) {
	id, host, needed, err := o.Provider.NeedsDocument(c.UserContext(), web.TenantOf(c), form)
	if err != nil {
		return true, o.reject(c, err)
	}
	if !needed {
		return false, nil
	}
	if _, _, ok := o.Session(c); !ok {
		if form.Get("prompt") == "none" {
			return true, o.reject(c, oauth2.BadRequest("The application is not known yet, and a person has to log in before it can be."))
		}
		return true, see(c, "/login?return_to="+url.QueryEscape("/oauth2/authorize?"+form.Encode()))
	}
	if err = o.slow(c, "document", documents); err == nil {
		err = o.charge(c, "document at "+host, documentsOfHost)
	}
	if err != nil {
		return true, o.reject(c, err)
	}
	p, err := o.Provider.ReadDocument(recording(c), web.TenantOf(c), id)
	if err != nil {
		return true, o.reject(c, err)
	}
	a := decide(c, o.Gate, p, func(struct{}) *web.Answer { return &web.Answer{Status: fiber.StatusNoContent, Code: "ok"} }, rfc("access_denied"))
	if a.Status == fiber.StatusNoContent {
		return false, nil
	}
	return true, o.ErrorPage(c, a.Status, "This app can't be connected", "It is not one that may be used here.")
}
