package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// maxAddresses are tried of one name.
const maxAddresses = 4

// dial resolves once, and connects to nothing but what it resolved and judged:
// a name that means another address the next time gains nothing.
func (e *Client) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	addrs, err := e.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	failed := error(ErrForbidden)
	for _, a := range addrs {
		if !e.reachable(a) || loopbackName(host) && !a.Unmap().IsLoopback() {
			continue
		}
		c, err := (&net.Dialer{Timeout: dialWithin}).DialContext(ctx, network, net.JoinHostPort(a.Unmap().String(), port))
		if err == nil {
			return c, nil
		}
		failed = fmt.Errorf("egress: no connection: %w", err)
	}
	return nil, failed
}

func (e *Client) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	addrs, err := e.c.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("egress: its name is not known: %w", err)
	}
	return addrs[:min(len(addrs), maxAddresses)], nil
}

// dialWithin is the time for one of several addresses.
const dialWithin = 2 * time.Second

// loopbackName reports whether a host can be nothing but this machine. Names
// below localhost are left out: not every resolver keeps them at home.
func loopbackName(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// reachable reports whether an address may be dialled.
func (e *Client) reachable(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap() // an IPv4-mapped address is dialled as what it carries
	if within(a, e.c.Allow) || e.c.Local && a.IsLoopback() {
		return true
	}
	if a.Is6() && !globalUnicast.Contains(a) {
		return false
	}
	return a.IsValid() && !within(a, special)
}

func within(a netip.Addr, networks []netip.Prefix) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// globalUnicast is all of IPv6 that is assigned for public use. Loopback, unique
// local, link-local, multicast and the NAT64 prefixes lie outside.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// special are the networks that are not public, by the registries of IANA for
// special-purpose addresses (RFC 6890), within IPv4 and within 2000::/3.
var special = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // shared between a provider's customers (CGNAT)
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, and the credentials of cloud machines
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, and broadcast
	"2001::/23",       // protocol assignments, Teredo among them
	"2001:db8::/32",   // documentation
	"2002::/16",       // 6to4, which carries an IPv4 address
	"3fff::/20",       // documentation
)

func prefixes(all ...string) (out []netip.Prefix) {
	for _, p := range all {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}
