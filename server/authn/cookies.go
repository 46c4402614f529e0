package authn

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"
	"github.com/valyala/fasthttp"

	"github.com/pointgate/pointgate/server/web"
)

// cookie is a cookie of ours, by its name on http. On https it has the __Host-
// prefix, so that browsers take it from this host alone and only with Secure.
type cookie string

const (
	sessionCookie cookie = "pg_session"
	loginCookie   cookie = "pg_login" // binds the login form to the browser before there is a session
)

func (k cookie) name(secure bool) string {
	if secure {
		return "__Host-" + string(k)
	}
	return string(k)
}

func (k cookie) get(c *fiber.Ctx) string { return utils.CopyString(c.Cookies(k.name(secure(c)))) }

// make is the cookie with a value; without expires it ends with the browser.
func (k cookie) make(secure bool, value string, expires time.Time) *fiber.Cookie {
	return &fiber.Cookie{
		Name: k.name(secure), Value: value, Expires: expires, Path: "/",
		HTTPOnly: true, Secure: secure, SameSite: fiber.CookieSameSiteLaxMode,
	}
}

func (k cookie) remove(secure bool) *fiber.Cookie {
	return k.make(secure, "", fasthttp.CookieExpireDelete)
}

// secure reports whether the browser speaks https. The tenant's configured URL
// says so too: a proxy that forgets a header must not make cookies that travel
// in clear.
func secure(c *fiber.Ctx) bool {
	t := web.TenantOf(c)
	return web.OriginOf(c).TLS || t != nil && strings.HasPrefix(t.Issuer, "https://")
}
