package edge

import (
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
)

// MaxBody is the largest body that any endpoint takes.
const MaxBody = 64 << 10

// Checks are what every request must keep to, whoever sends it.
type Checks struct {
	Refuse func(c *fiber.Ctx, p *web.Problem) error
}

// Step refuses doubled headers, bodies over MaxBody, and anything but JSON at
// JSON endpoints.
func (k *Checks) Step() fiber.Handler {
	return func(c *fiber.Ctx) error {
		switch body := c.Request().Body(); { // as it was sent: Fiber's Body() would unpack it first
		case ambiguous(&c.Request().Header):
			// What follows on the connection may have been hidden in this one.
			c.Context().SetConnectionClose()
			return k.Refuse(c, web.BadRequest("The request can be read in two ways: a header that is doubled, folded or in a trailer, or a length or host that is given twice."))
		case len(body) > MaxBody:
			return k.Refuse(c, web.NewProblem("too_large", "The body may have 64 KiB."))
		case c.Get(fiber.HeaderContentEncoding) != "":
			return k.Refuse(c, web.NewProblem("unsupported_media_type", "Send the body without a Content-Encoding."))
		case len(body) > 0 && wantsJSON(c.Path()) && !isJSON(c.Get(fiber.HeaderContentType)):
			return k.Refuse(c, web.NewProblem("unsupported_media_type", "Send Content-Type: application/json."))
		}
		return c.Next()
	}
}

func wantsJSON(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/admin/api/")
}

func isJSON(contentType string) bool {
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil || t != fiber.MIMEApplicationJSON {
		return false
	}
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}
