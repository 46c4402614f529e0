package edge

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
)

// CORS lets browsers of the tenant's registered origins, compared exactly, call
// the API and the token endpoint; the metadata documents are for everyone.
// There is none at /oauth2/authorize and on the pages (RFC 9700 §2.6), and
// cookies are never allowed along.
type CORS struct {
	Refuse func(c *fiber.Ctx, p *web.Problem) error
}

var corsPaths = []string{"/api/", "/oauth2/token", "/oauth2/revoke", "/oauth2/par", "/oauth2/userinfo"}

// Step answers preflights and marks the answers to other requests.
func (o *CORS) Step() fiber.Handler {
	return func(c *fiber.Ctx) error {
		origin := c.Get(fiber.HeaderOrigin)
		public := strings.HasPrefix(c.Path(), "/.well-known/") || c.Path() == "/oauth2/jwks"
		preflight := c.Method() == fiber.MethodOptions && c.Get(fiber.HeaderAccessControlRequestMethod) != ""
		if public {
			c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
		} else {
			c.Vary(fiber.HeaderOrigin)
		}
		allowed := public || (origin != "" && crossOrigin(c.Path()) && web.TenantOf(c).Origins.Has(origin))
		switch {
		case preflight && !allowed:
			return o.Refuse(c, web.NewProblem("denied", "This origin is not registered for cross-origin requests here."))
		case allowed && !public:
			c.Set(fiber.HeaderAccessControlAllowOrigin, strings.Clone(origin))
			c.Set(fiber.HeaderAccessControlExposeHeaders, "X-Request-Id, X-Decision-Id, X-OAuth-Scopes, X-Accepted-OAuth-Scopes, "+
				"RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, Idempotency-Replayed, DPoP-Nonce")
		}
		if !preflight {
			return c.Next()
		}
		c.Set(fiber.HeaderAccessControlAllowMethods, "GET, POST")
		c.Set(fiber.HeaderAccessControlAllowHeaders, "Authorization, Content-Type, DPoP, Idempotency-Key, X-API-Key, X-Request-Id")
		c.Set(fiber.HeaderAccessControlMaxAge, "600")
		web.EventOf(c).Status = fiber.StatusNoContent
		return c.SendStatus(fiber.StatusNoContent)
	}
}

func crossOrigin(path string) bool {
	for _, p := range corsPaths {
		if strings.HasPrefix(path+"/", p) || path == p {
			return true
		}
	}
	return false
}
