package edge

import (
	"bytes"
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Origins finds out where a request came from and which tenant it is for.
// Forwarding headers count only when the peer is in Trusted; Fiber's own IP()
// and Hostname() are not used, because they believe anybody.
type Origins struct {
	Trusted []netip.Prefix // of the proxies in front; empty: none
	// CertificateHeader is where those proxies put the client's certificate; empty:
	// nowhere.
	CertificateHeader string
	Tenant            func(hostname string) (*store.Tenant, bool)
	Refuse            func(c *fiber.Ctx, p *web.Problem) error
}

// Step puts the origin and the tenant on the request.
func (o *Origins) Step() fiber.Handler {
	return func(c *fiber.Ctx) error {
		origin := o.origin(c)
		web.SetOrigin(c, origin)
		e := web.EventOf(c)
		e.IP = origin.IP
		if origin.Host == "" {
			return o.Refuse(c, web.BadRequest("A Host header is needed."))
		}
		t, ok := o.Tenant(origin.Host)
		if !ok {
			return o.Refuse(c, web.NewProblem("not_found", "Nobody answers at this host name."))
		}
		e.Tenant = t.ID
		web.SetTenant(c, t)
		return c.Next()
	}
}

func (o *Origins) origin(c *fiber.Ctx) web.Origin {
	peer, _ := netip.AddrFromSlice(addressOf(c.Context().RemoteAddr()))
	peer = peer.Unmap()
	origin := web.Origin{IP: peer.String(), Host: hostname(string(c.Request().Header.Host())), TLS: c.Context().IsTLS()}
	proxied := o.trusts(peer)
	origin.Certificate = o.certificate(c, proxied)
	if !proxied {
		return origin
	}
	origin.TLS = origin.TLS || c.Get(fiber.HeaderXForwardedProto) == "https"
	if h := c.Get(fiber.HeaderXForwardedHost); h != "" {
		origin.Host = hostname(h)
	}
	lines := c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) // some proxies add a line of their own
	origin.IP = o.client(peer, string(bytes.Join(lines, []byte{','}))).String()
	return origin
}

// client walks X-Forwarded-For from the right: each hop was written by the one
// to its right, so the first that is not one of our proxies is the caller.
func (o *Origins) client(peer netip.Addr, forwarded string) netip.Addr {
	hops := strings.Split(forwarded, ",")
	last := peer
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return last
		}
		last = a.Unmap().WithZone("")
		if !o.trusts(last) {
			return last
		}
	}
	return last
}

func (o *Origins) trusts(a netip.Addr) bool {
	for _, p := range o.Trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func addressOf(a net.Addr) []byte {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.IP
	}
	return nil
}

// hostname is a Host header without its port, in lower case and copied.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(strings.Clone(host), "[]"))
}
