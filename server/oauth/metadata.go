package oauth

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
)

// ServerMetadata is GET /.well-known/oauth-authorization-server (RFC 8414) and
// /.well-known/openid-configuration (OpenID Connect Discovery §4): one document,
// which is what both want.
func (o *OAuth) ServerMetadata() fiber.Handler {
	return func(c *fiber.Ctx) error { return document(c, o.Provider.Metadata(web.TenantOf(c))) }
}

// ResourceMetadata is GET /.well-known/oauth-protected-resource and …/api
// (RFC 9728): both describe the tenant's API, the one resource that there is.
func (o *OAuth) ResourceMetadata() fiber.Handler {
	return func(c *fiber.Ctx) error { return document(c, o.Provider.ResourceMetadata(web.TenantOf(c))) }
}

// JWKS is GET /oauth2/jwks (RFC 7517 §5): the tenant's keys, for who verifies its
// tokens. It may be cached for less than a key is published before it signs.
func (o *OAuth) JWKS() fiber.Handler {
	return func(c *fiber.Ctx) error { return document(c, o.Provider.JWKS(web.TenantOf(c))) }
}

// document writes what is the same for everyone and changes with a release.
func document(c *fiber.Ctx, v any) error {
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	return send(c, fiber.StatusOK, v)
}
