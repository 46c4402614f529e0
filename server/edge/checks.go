package edge

import (
	"bytes"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/pointgate/pointgate/server/web"
)

// MaxBody is the largest body that any endpoint takes.
const MaxBody = 64 << 10

// single are the headers that must not be sent twice: two readers that pick
// different ones are how requests are smuggled past a check.
var single = map[string]bool{
	"authorization": true, "x-api-key": true, "content-type": true, "content-length": true, "transfer-encoding": true,
	"host": true, "origin": true, "cookie": true, "idempotency-key": true, "dpop": true,
	"x-forwarded-host": true, "x-forwarded-proto": true, "sec-fetch-site": true,
}

// Checks are what every request must keep to, whoever sends it.
type Checks struct {
	Refuse func(c *fiber.Ctx, p *web.Problem) error
}

// Step refuses doubled headers, bodies over MaxBody, and anything but JSON at
// JSON endpoints.
func (k *Checks) Step() fiber.Handler {
	return func(c *fiber.Ctx) error {
		switch body := c.Request().Body(); { // as it was sent: Fiber's Body() would unpack it first
		case ambiguous(c.Request().Header.RawHeaders()), !sameHost(&c.Request().Header):
			// What follows on the connection may have been hidden in this one.
			c.Context().SetConnectionClose()
			return k.Refuse(c, web.BadRequest("A header is folded or has a space in front of its colon, or one that may stand once is given twice, or the length or the host in two ways."))
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

// sameHost reports whether a target that names a host (RFC 9112 §3.2.2) names
// the one of the Host header, by which the tenant is found.
func sameHost(h *fasthttp.RequestHeader) bool {
	_, rest, absolute := bytes.Cut(h.RequestURI(), []byte("://"))
	if !absolute || h.RequestURI()[0] == '/' {
		return true
	}
	host, _, _ := bytes.Cut(rest, []byte{'/'})
	return bytes.EqualFold(host, h.Host())
}

// ambiguous reports a doubled header, a length that is given in two ways (RFC
// 9112 §6.1), a folded line (§5.2), and white space in front of a colon (§5.1).
func ambiguous(raw []byte) bool {
	seen := map[string]bool{}
	for line := range bytes.Lines(raw) {
		name, _, ok := bytes.Cut(line, []byte{':'})
		if line[0] == ' ' || line[0] == '\t' || (ok && len(bytes.TrimRight(name, " \t")) < len(name)) {
			return true
		}
		if !ok {
			continue
		}
		n := strings.ToLower(string(name))
		if single[n] && seen[n] {
			return true
		}
		seen[n] = true
	}
	return seen["content-length"] && seen["transfer-encoding"]
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
