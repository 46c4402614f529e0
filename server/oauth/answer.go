package oauth

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
)

// refuse writes an error in the form of RFC 6749 §5.2. A 401 always names the
// scheme that would do (RFC 9110 §15.5.2).
func refuse(c *fiber.Ctx, r *oauth2.Request, err error) error {
	e := errorOf(c, err)
	uncached(c)
	if e.Status == fiber.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="`+r.Tenant.Issuer+`", charset="UTF-8"`)
	}
	return send(c, e.Status, errorBody{e.Code, e.Description})
}

func uncached(c *fiber.Ctx) {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderPragma, "no-cache")
}

func send(c *fiber.Ctx, status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err // the outermost step answers
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	web.EventOf(c).Status = status
	return c.Status(status).Send(raw)
}
