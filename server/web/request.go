package web

import (
	"crypto/x509"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"
	"github.com/pointgate/pointgate/store"
)

// The keys of Fiber's locals, where the pipeline's steps leave what later ones need.
const (
	eventKey  = "event"
	tenantKey = "tenant"
	callerKey = "caller"
	originKey = "origin"
)

// Origin is where a request came from and what it was sent to, as far as that
// can be trusted (see the trusted proxies of the configuration).
type Origin struct {
	IP   string
	Host string // host name in lower case, without a port
	TLS  bool
	// Certificate is the client's own, of which only that it has the key is proven;
	// nil: none.
	Certificate *x509.Certificate
}

// SetEvent, SetTenant, SetOrigin and SetCaller are for the pipeline.
func SetEvent(c *fiber.Ctx, e *Event)         { c.Locals(eventKey, e) }
func SetTenant(c *fiber.Ctx, t *store.Tenant) { c.Locals(tenantKey, t) }
func SetOrigin(c *fiber.Ctx, o Origin)        { c.Locals(originKey, o) }
func SetCaller(c *fiber.Ctx, k *Caller)       { c.Locals(callerKey, k) }

// EventOf is the request's event. It is there in every handler.
func EventOf(c *fiber.Ctx) *Event {
	e, _ := c.Locals(eventKey).(*Event)
	return e
}

// TenantOf is the tenant that the host names; nil before that step.
func TenantOf(c *fiber.Ctx) *store.Tenant {
	t, _ := c.Locals(tenantKey).(*store.Tenant)
	return t
}

// OriginOf is where the request came from.
func OriginOf(c *fiber.Ctx) Origin {
	o, _ := c.Locals(originKey).(Origin)
	return o
}

// CallerOf is who is calling; nil where authentication does not run.
func CallerOf(c *fiber.Ctx) *Caller {
	k, _ := c.Locals(callerKey).(*Caller)
	return k
}

// Request is one request, copied out of Fiber's buffers: all of it may be kept.
type Request struct {
	Event  *Event
	Tenant *store.Tenant
	Caller *Caller
	Origin Origin

	Method   string
	Path     string
	Route    string            // the pattern, e.g. /api/points/holds/:id/capture
	Params   map[string]string // of the pattern, percent-decoded
	RawQuery string
	Header   func(name string) string // a copy of one header; the pipeline has refused duplicates that matter
	Body     []byte
}

// Read copies the request out of Fiber.
func Read(c *fiber.Ctx) *Request {
	r := &Request{
		Event: EventOf(c), Tenant: TenantOf(c), Caller: CallerOf(c), Origin: OriginOf(c),
		Method: utils.CopyString(c.Method()), Path: validText(c.Path()), Route: c.Route().Path,
		RawQuery: string(c.Request().URI().QueryString()),
		Header:   func(name string) string { return utils.CopyString(c.Get(name)) },
		Body:     utils.CopyBytes(c.Request().Body()),
	}
	if len(c.Route().Params) > 0 {
		r.Params = make(map[string]string, len(c.Route().Params))
		for _, p := range c.Route().Params {
			v, err := url.PathUnescape(c.Params(p))
			if err != nil {
				v = "" // matches no id
			}
			r.Params[p] = utils.CopyString(v)
		}
	}
	return r
}

// validText copies s and replaces what is not UTF-8: a path may come with any
// byte, and PostgreSQL keeps only text.
func validText(s string) string { return strings.ToValidUTF8(utils.CopyString(s), "\uFFFD") }
