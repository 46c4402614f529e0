package edge

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
)

// The limits of docs/limits: each address without a credential that is good,
// what an address may try with bad ones beyond that, and each credential.
var (
	perAddress    = Rate{Name: "address", Every: time.Second / 20, Burst: 40}
	perFailure    = Rate{Name: "failure", Every: time.Second / 20, Burst: 40}
	perCredential = Rate{Name: "credential", Every: time.Second / 100, Burst: 200}
)

// Limits are the two steps that count requests: [Limits.ByAddress] before
// authentication, [Limits.ByCredential] after it. Off lets everything through.
type Limits struct {
	Limiter *Limiter
	Refuse  func(c *fiber.Ctx, p *web.Problem) error
	Off     bool
}

// ByAddress counts every request by its address, and takes the charge back when
// its credential turned out to be good. An address that has used up its limit
// is refused before any work is done for it, but for requests with a
// credential: a crowd of strangers behind one address must not lock out the
// valid caller among them. These go on until as many of them have failed.
func (l *Limits) ByAddress() fiber.Handler {
	return func(c *fiber.Ctx) error {
		if l.Off {
			return c.Next()
		}
		address, given := web.Network(web.OriginOf(c).IP), credential(c) != ""
		v := l.Limiter.Allow(address, perAddress)
		if !l.pass(c, v) && (!given || !l.Limiter.Peek(address, perFailure).OK) {
			return l.refuse(c, v)
		}
		err := c.Next()
		switch {
		case !given && v.OK && l.provenInBody(c):
			l.Limiter.Refund(address, perAddress)
		case !given:
		case good(c) && v.OK:
			l.Limiter.Refund(address, perAddress)
		case !good(c) && !v.OK:
			l.Limiter.Allow(address, perFailure)
		}
		return err
	}
}

// provenInBody reports whether a client has proven who it is by what is no
// header, such as an assertion (RFC 7523), and is within the limit of its own:
// beyond that, the address pays.
func (l *Limits) provenInBody(c *fiber.Ctx) bool {
	e := web.EventOf(c)
	return e.Proven && l.Limiter.Allow(e.Tenant+"/proven/"+e.Client, perCredential).OK
}

// good reports whether somebody was recognised: a caller by authentication, or
// a client by the OAuth2 endpoints. A junk credential on a route that looks at
// none is nobody's.
func good(c *fiber.Ctx) bool {
	if k := web.CallerOf(c); k != nil {
		return k.Status == web.Valid
	}
	return web.EventOf(c).Client != ""
}

// ByCredential counts by the credential that authentication found valid.
func (l *Limits) ByCredential() fiber.Handler {
	return func(c *fiber.Ctx) error {
		k := web.CallerOf(c)
		if l.Off || k == nil || k.Status != web.Valid {
			return c.Next()
		}
		if k.Type == "client" { // its tokens are as many as it likes
			return l.charge(c, k.Tenant+"/client/"+k.ID)
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
// The OAuth2 endpoints know HTTP Basic alone; elsewhere a cookie only counts
// where there is no header.
func credential(c *fiber.Ctx) string {
	given := c.Get(fiber.HeaderAuthorization)
	if strings.HasPrefix(c.Path(), "/oauth2/") && c.Method() == fiber.MethodPost {
		if given = basic(given); given == "" {
			return ""
		}
	} else if given += c.Get("X-API-Key"); given == "" {
		if given = c.Get(fiber.HeaderCookie); !strings.Contains(given, "pg_session=") {
			return ""
		}
	}
	sum := sha256.Sum256([]byte(given))
	return string(sum[:])
}

// basic is what a header of HTTP Basic says, however it is spelled (RFC 6749
// §2.3.1 has both parts percent-encoded), or "". A name without a secret is no
// credential: everybody knows the names of public clients.
func basic(header string) string {
	if len(header) < 6 || !strings.EqualFold(header[:6], "basic ") {
		return ""
	}
	pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(header[6:]))
	if err != nil {
		return ""
	}
	if strings.HasSuffix(string(pair), ":") && strings.Count(string(pair), ":") == 1 {
		return ""
	}
	plain, err := url.QueryUnescape(string(pair))
	if err != nil {
		return string(pair)
	}
	return plain
}
