package authn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Forms makes and checks the synchroniser token that every form carries. It is
// bound to the session or, before there is one, to a random cookie of this
// browser, so neither another site nor another person's token can send a form.
type Forms struct {
	Key []byte // 32 random bytes, the same on each node
}

// Token is the token for the forms of a signed-in person.
func (f Forms) Token(k *web.Caller) string { return f.token("session", k.GrantID) }

// Check reports whether a form was sent by a page of ours to this person.
func (f Forms) Check(r *web.Request, token string) bool {
	return !crossSite(r.Header, r.Origin.Host) && r.Caller != nil && r.Caller.GrantID != "" && f.same(token, f.Token(r.Caller))
}

// LoginToken is the token for forms before there is a session. It gives the
// browser the cookie that it is bound to.
func (f Forms) LoginToken(c *fiber.Ctx) string {
	bound := loginCookie.get(c)
	if len(bound) != secretChars {
		bound = random62(secretChars)
		c.Cookie(loginCookie.make(secure(c), bound, time.Time{}))
	}
	return f.token("login", bound)
}

// CheckLogin is Check for forms before there is a session.
func (f Forms) CheckLogin(c *fiber.Ctx, token string) bool {
	bound := loginCookie.get(c)
	header := func(name string) string { return c.Get(name) }
	return !crossSite(header, web.OriginOf(c).Host) && len(bound) == secretChars && f.same(token, f.token("login", bound))
}

func (f Forms) token(kind, bound string) string {
	h := hmac.New(sha256.New, f.Key)
	h.Write([]byte("form\x00" + kind + "\x00" + bound))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Bucket is one of 65,536 that an address to sign in with falls into, by the key:
// for counting attempts on accounts that there are not. See gate.LoginFailed.
func (f Forms) Bucket(tenant, email string) string {
	h := hmac.New(sha256.New, f.Key)
	h.Write([]byte("bucket\x00" + tenant + "\x00" + store.NormalEmail(email)))
	return hex.EncodeToString(h.Sum(nil)[:2])
}

func (f Forms) same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// crossSite reports whether a page of another origin sent the request to host.
// Browsers say so in Sec-Fetch-Site. Older ones only send Origin, of which the
// host names are compared (ports differ behind a proxy); "null" says nothing,
// because our own Referrer-Policy makes them send it. The token stands behind.
func crossSite(header func(string) string, host string) bool {
	if site := header("Sec-Fetch-Site"); site != "" {
		return site != "same-origin" && site != "none"
	}
	origin := header(fiber.HeaderOrigin)
	if origin == "" || origin == "null" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Hostname(), host)
}
