package oauth

import (
	"mime"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
)

// registrations are how many clients an address may register in a minute.
const registrations = 10

// Register is POST /oauth2/register (RFC 7591).
func (o *OAuth) Register() fiber.Handler {
	return o.registrar(func(c *fiber.Ctx, r *oauth2.RegistrationRequest) (*web.Answer, error) {
		if err := o.slow(c, "registration", registrations); err != nil {
			return nil, err
		}
		p, err := o.Provider.Register(recording(c), r)
		if err != nil {
			return nil, err
		}
		return decide(c, o.Gate, p, func(a *oauth2.Registered) *web.Answer { return web.JSON(fiber.StatusCreated, a) }, rfc("access_denied")), nil
	})
}

// ReadRegistration is GET /oauth2/register/:id (RFC 7592 §2.1).
func (o *OAuth) ReadRegistration() fiber.Handler {
	return o.registrar(func(c *fiber.Ctx, r *oauth2.RegistrationRequest) (*web.Answer, error) {
		p, err := o.Provider.ReadRegistration(recording(c), r)
		if err != nil {
			return nil, err
		}
		return decide(c, o.Gate, p, showRegistered, rfc("access_denied")), nil
	})
}

// ReplaceRegistration is PUT /oauth2/register/:id (RFC 7592 §2.2).
func (o *OAuth) ReplaceRegistration() fiber.Handler {
	return o.registrar(func(c *fiber.Ctx, r *oauth2.RegistrationRequest) (*web.Answer, error) {
		p, err := o.Provider.ReplaceRegistration(recording(c), r)
		if err != nil {
			return nil, err
		}
		return decide(c, o.Gate, p, showRegistered, rfc("access_denied")), nil
	})
}

// DeleteRegistration is DELETE /oauth2/register/:id (RFC 7592 §2.3).
func (o *OAuth) DeleteRegistration() fiber.Handler {
	return o.registrar(func(c *fiber.Ctx, r *oauth2.RegistrationRequest) (*web.Answer, error) {
		p, err := o.Provider.DeleteRegistration(recording(c), r)
		if err != nil {
			return nil, err
		}
		return decide(c, o.Gate, p, func(struct{}) *web.Answer { return &web.Answer{Status: fiber.StatusNoContent, Code: "ok"} }, rfc("access_denied")), nil
	})
}

func showRegistered(a *oauth2.Registered) *web.Answer { return web.JSON(fiber.StatusOK, a) }

// registrar is what the registration endpoints have in common.
func (o *OAuth) registrar(do func(c *fiber.Ctx, r *oauth2.RegistrationRequest) (*web.Answer, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		uncached(c)
		r, err := readRegistration(c)
		if err != nil {
			return o.unregistered(c, r, err)
		}
		answer, err := do(c, r)
		if err != nil {
			return o.unregistered(c, r, err)
		}
		return answer.Send(c)
	}
}

// unregistered is a refusal; a 401 names the scheme of these endpoints.
func (o *OAuth) unregistered(c *fiber.Ctx, r *oauth2.RegistrationRequest, err error) error {
	o.count(c, err, "")
	e := errorOf(c, err)
	if e.Status == fiber.StatusUnauthorized {
		challenge := `Bearer realm="` + r.Tenant.Issuer + `"`
		if r.Bearer != "" {
			challenge += `, error="invalid_token"`
		}
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
	}
	return send(c, e.Status, errorBody{e.Code, e.Description})
}

// slow charges one of what leaves a row and a record, though a stranger may ask
// for it, to the address.
func (o *OAuth) slow(c *fiber.Ctx, what string, perMinute int) error {
	return o.charge(c, what+" "+web.Network(web.OriginOf(c).IP), perMinute)
}

// charge charges one of so many in a minute to the key.
func (o *OAuth) charge(c *fiber.Ctx, key string, perMinute int) error {
	if o.Throttle == nil {
		return nil
	}
	wait, ok := o.Throttle(key, perMinute)
	if ok {
		return nil
	}
	c.Set(fiber.HeaderRetryAfter, strconv.Itoa(max(1, int(wait.Round(time.Second)/time.Second))))
	e := oauth2.Unavailable()
	e.Status, e.Description = fiber.StatusTooManyRequests, "This address asked too often. Try again later."
	return e
}

// readRegistration copies a request. It is there also where it can't be read.
func readRegistration(c *fiber.Ctx) (*oauth2.RegistrationRequest, error) {
	r := &oauth2.RegistrationRequest{Tenant: web.TenantOf(c), ID: utils.CopyString(c.Params("id")), Body: utils.CopyBytes(c.Request().Body())}
	scheme, token, _ := strings.Cut(utils.CopyString(c.Get(fiber.HeaderAuthorization)), " ")
	if strings.EqualFold(scheme, "Bearer") {
		r.Bearer = token
	}
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	switch {
	case len(c.Request().Header.PeekAll(fiber.HeaderAuthorization)) > 1:
		return r, oauth2.BadRequest("There are two Authorization headers.")
	case len(c.Request().URI().QueryString()) > 0:
		return r, oauth2.BadRequest("Parameters belong into the body, not into the URL.")
	case scheme != "" && r.Bearer == "":
		return r, oauth2.BadRequest("The Authorization header must be Bearer and a token.")
	case len(r.Body) > 0 && (err != nil || kind != fiber.MIMEApplicationJSON):
		return r, oauth2.BadRequest("The Content-Type must be application/json.")
	}
	return r, nil
}
