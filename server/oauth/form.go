package oauth

import (
	"errors"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
)

const (
	maxForm       = 16 << 10 // bytes at the endpoints for clients
	maxAuthorize  = 8 << 10  // bytes of an authorization request: it must come back in a URL
	maxParameters = 64
)

var errForm = errors.New("not a form")

// parseForm reads a form or query: well formed, valid UTF-8, without NUL, of
// few parameters. Parameters that stand twice are kept twice; the caller
// refuses them. It returns nothing that aliases a buffer of Fiber, provided that
// raw does not.
func parseForm(raw string) (url.Values, error) {
	form := url.Values{}
	for n := 0; raw != ""; n++ {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		key, err1 := unescape(key)
		value, err2 := unescape(value)
		if n >= maxParameters || err1 != nil || err2 != nil || key == "" {
			return nil, errForm
		}
		form[key] = append(form[key], value)
	}
	return form, nil
}

func unescape(s string) (string, error) {
	if strings.Contains(s, ";") {
		return "", errForm // some readers separate parameters by it
	}
	s, err := url.QueryUnescape(s)
	if err != nil || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", errForm
	}
	return s, nil
}

// body is the form in the body, which is read as it came: Fiber's Body would
// unpack what a Content-Encoding says it is.
func body(c *fiber.Ctx, limit int) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	raw := c.Request().Body()
	switch {
	case err != nil || kind != fiber.MIMEApplicationForm:
		return nil, oauth2.BadRequest("The Content-Type must be application/x-www-form-urlencoded.")
	case c.Get(fiber.HeaderContentEncoding) != "":
		return nil, oauth2.BadRequest("The body must not be encoded.")
	case len(raw) > limit:
		return nil, tooLarge()
	}
	form, err := parseForm(string(raw))
	if err != nil {
		return nil, oauth2.BadRequest("The body can not be parsed.")
	}
	return form, nil
}

func tooLarge() *oauth2.Error {
	e := oauth2.BadRequest("The request is too large.")
	e.Status = fiber.StatusRequestEntityTooLarge
	return e
}

// readRequest reads what is sent to an endpoint for clients. The Request is
// there, with the Authorization header, also where the rest can't be read.
func readRequest(c *fiber.Ctx) (*oauth2.Request, error) {
	t := web.TenantOf(c)
	r := &oauth2.Request{Tenant: t, Method: utils.CopyString(c.Method()), URL: t.Issuer + utils.CopyString(c.Path()), IP: web.OriginOf(c).IP, Certificate: web.OriginOf(c).Certificate}
	for _, proof := range c.Request().Header.PeekAll("DPoP") {
		r.DPoP = append(r.DPoP, string(proof))
	}
	if all := c.Request().Header.PeekAll(fiber.HeaderAuthorization); len(all) > 0 {
		r.Authorization = string(all[0])
		if len(all) > 1 {
			return r, oauth2.BadRequest("There are two Authorization headers.")
		}
	}
	if len(c.Request().URI().QueryString()) > 0 {
		return r, oauth2.BadRequest("Parameters belong into the body, not into the URL.")
	}
	var err error
	r.Form, err = body(c, maxForm)
	return r, err
}
