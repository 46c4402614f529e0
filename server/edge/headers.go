package edge

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
)

// Headers puts the security headers on every answer before anything can answer.
// Pages replace the policy by one that allows their own style sheet.
func Headers() fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		c.Set(fiber.HeaderXFrameOptions, "DENY")
		c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
		c.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		c.Set("Cross-Origin-Opener-Policy", "same-origin")
		if web.OriginOf(c).TLS {
			c.Set(fiber.HeaderStrictTransportSecurity, "max-age=63072000")
		}
		return c.Next()
	}
}
