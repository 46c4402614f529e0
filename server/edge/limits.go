package edge

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
)

// The limits of docs/limits: each address without a credential, and each
// credential.
var (
	perAddress    = Rate{Name: "address", Every: time.Second / 20, Burst: 40}
	perCredential = Rate{Name: "credential", Every: time.Second / 100, Burst: 200}
)

// Limits are the two steps that count requests: [Limits.ByAddress] before
// authentication, [Limits.ByCredential] after it. Off lets everything through.
type Limits struct {
	Limiter *Limiter
	Refuse  func(c *fiber.Ctx, p *web.Problem) error
	Off     bool
}

// ByAddress counts requests without a credential by their address. A request
// with one is let through to be counted by it, but a credential that turns out
// to be no good is charged to the address, and an address that has used up its
// limit so is refused before any work is done for it.
func (l *Limits) ByAddress() fiber.Handler {
	return func(c *fiber.Ctx) error {
		if l.Off {
			return c.Next()
		}
		address := network(web.OriginOf(c).IP)
		given := credential(c)
		if given == "" {
			if v := l.Limiter.Allow(address, perAddress); !l.pass(c, v) {
				return l.refuse(c, v)
			}
			return c.Next()
		}
		if v := l.Limiter.Peek(address, perAddress); !v.OK {
			return l.refuse(c, v)
		}
		err := c.Next()
		if c.Response().StatusCode() == fiber.StatusUnauthorized {
			l.Limiter.Allow(address, perAddress)
		}
		return err
	}
}

// ByCredential counts by the credential that authentication found valid.
func (l *Limits) ByCredential() fiber.Handler {
	return func(c *fiber.Ctx) error {
		k := web.CallerOf(c)
		if l.Off || k == nil || k.Status != web.Valid {
			return c.Next()
		}
		return l.charge(c, k.Tenant+"/"+k.GrantID)
	}
}

// ByHeader counts by the credential as it was sent, for endpoints that check it
// themselves (the OAuth2 endpoints authenticate clients).
func (l *Limits) ByHeader() fiber.Handler {
	return func(c *fiber.Ctx) error {
		if given := credential(c); !l.Off && given != "" {
			return l.charge(c, given)
		}
		return c.Next()
	}
}

func (l *Limits) charge(c *fiber.Ctx, key string) error {
	if v := l.Limiter.Allow(key, perCredential); !l.pass(c, v) {
		return l.refuse(c, v)
	}
	return c.Next()
}

// pass writes the fields of draft-ietf-httpapi-ratelimit-headers-10.
func (l *Limits) pass(c *fiber.Ctx, v Verdict) bool {
	window := v.Rate.Every * time.Duration(v.Rate.Burst)
	c.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", v.Rate.Name, v.Rate.Burst, seconds(window)))
	c.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", v.Rate.Name, v.Remaining, seconds(v.Reset)))
	return v.OK
}

func (l *Limits) refuse(c *fiber.Ctx, v Verdict) error {
	l.pass(c, v)
	c.Set(fiber.HeaderRetryAfter, strconv.Itoa(max(1, seconds(v.RetryAfter))))
	return l.Refuse(c, web.NewProblem("rate_limited", "Wait before you try again; see Retry-After."))
}

// credential is a name for what the request authenticates itself with, or "".
func credential(c *fiber.Ctx) string {
	given := c.Get(fiber.HeaderAuthorization) + "\n" + c.Get("X-API-Key")
	if len(given) == 1 {
		if cookie := c.Get(fiber.HeaderCookie); strings.Contains(cookie, "pg_session=") {
			given = cookie
		} else {
			return ""
		}
	}
	sum := sha256.Sum256([]byte(given))
	return string(sum[:])
}

// network is the address that is counted: IPv6 hosts own a /64.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Is4() || a.Is4In6() {
		return ip
	}
	p, _ := a.WithZone("").Prefix(64)
	return p.String()
}
