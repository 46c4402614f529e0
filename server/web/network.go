package web

import (
	"net"
	"net/netip"
	"strings"
)

// Network is what stands for an address where attempts are counted, because
// nobody changes it cheaply: of IPv6 the /64, which one host owns whole. What is
// no address stands for itself.
func Network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Is4() || a.Is4In6() {
		return ip
	}
	p, _ := a.WithZone("").Prefix(64) // an IPv6 address has 64 bits at least
	return p.String()
}

// Loopback reports whether a host is this machine by its name or address, so
// that what is sent to it in clear meets nobody on the way: localhost and the
// names below it (RFC 6761, section 6.3), and the addresses of the loopback. It
// may have a port, and an IPv6 address its brackets.
func Loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	} else if h, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(h, "]")
	}
	name := strings.ToLower(host)
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
