package web

import "net/netip"

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
