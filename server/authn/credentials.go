package authn

import (
	"crypto/x509"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Credentials are what a request carries to say who is calling, copied out of
// Fiber's buffers.
type Credentials struct {
	Scheme  string // of Authorization, in lower case; "x-api-key" for that header; empty without either
	Secret  string // what follows the scheme
	Session string // the session cookie; empty where there is a Scheme
	Tenant  *store.Tenant
	IP      string // of who sent them

	// What may have to be shown beside a token that is bound to a key.
	Method, URL string // of the request, made of the tenant's issuer and never of a Host header
	DPoP        []string
	Certificate *x509.Certificate
}

const (
	schemeBearer = "bearer"
	schemeDPoP   = "dpop"
	schemeAPIKey = "x-api-key"
	headerAPIKey = "X-API-Key"
	headerDPoP   = "DPoP"
)

// seenEvery is how coarse the notes of a credential's last use are.
const seenEvery = time.Minute

// misplaced is what is wrong with the places that a request has its credentials
// in, or nil: a bearer token in a query string or form ends up in logs and
// histories (RFC 9700 §4.3.2), and of two explicit credentials one reader would
// pick the first and another the second.
func misplaced(c *fiber.Ctx) *web.Problem {
	if c.Context().QueryArgs().Has("access_token") || c.Request().PostArgs().Has("access_token") {
		return web.BadRequest("Send the access token in the Authorization header.")
	}
	h := &c.Request().Header
	if len(h.PeekAll(fiber.HeaderAuthorization))+len(h.PeekAll(headerAPIKey)) > 1 {
		return web.BadRequest("Send one credential: Authorization or X-API-Key, once.")
	}
	return nil
}

func read(c *fiber.Ctx, cookies bool) *Credentials {
	k := &Credentials{Tenant: web.TenantOf(c), IP: web.OriginOf(c).IP, Certificate: web.OriginOf(c).Certificate}
	h := &c.Request().Header
	switch {
	case len(h.PeekAll(headerAPIKey)) > 0:
		k.Scheme, k.Secret = schemeAPIKey, utils.CopyString(c.Get(headerAPIKey))
	case len(h.PeekAll(fiber.HeaderAuthorization)) > 0:
		k.Scheme, k.Secret = split(utils.CopyString(c.Get(fiber.HeaderAuthorization)))
		if k.Scheme == schemeDPoP {
			k.Method, k.URL = utils.CopyString(c.Method()), k.Tenant.Issuer+string(c.Request().URI().PathOriginal())
			for _, proof := range h.PeekAll(headerDPoP) {
				k.DPoP = append(k.DPoP, string(proof))
			}
		}
	case cookies:
		k.Session = utils.CopyString(c.Cookies(sessionCookie.name(secure(c))))
	}
	return k
}

// split takes an Authorization header apart. An empty one has the scheme "?":
// something was sent, and it is nothing that we know.
func split(header string) (scheme, secret string) {
	scheme, secret, _ = strings.Cut(strings.TrimSpace(header), " ")
	if scheme == "" || !utf8.ValidString(scheme) {
		return "?", ""
	}
	return strings.ToLower(scheme), strings.TrimLeft(secret, " ")
}

// bearer reports whether the credentials are a Bearer token with this prefix.
func (c *Credentials) bearer(prefix string) bool {
	return c.Scheme == schemeBearer && strings.HasPrefix(c.Secret, prefix)
}
