// Package egress is how the server calls addresses that others chose: the key
// sets and documents of clients, the places that want to hear of logouts. Who
// may name such an address can make the server knock on doors that only it can
// reach (server-side request forgery), so a [Client] reaches public addresses
// alone, and what it takes in is bounded.
//
// What it refuses:
//
//   - any scheme but https; a user name in the URL; ports that are neither 443
//     nor at least 1024, which belong to other protocols
//   - addresses that are not public: loopback, private, link-local (where cloud
//     machines keep their credentials), shared (CGNAT), unique local,
//     multicast, reserved, and those that carry another inside (IPv4-mapped
//     ones are judged by what they carry; NAT64, 6to4 and Teredo are refused).
//     The address is judged when it is dialled, so a name that resolves
//     differently the second time gains nothing
//   - redirects, proxies of the environment, cookies, compressed answers
//   - answers that are longer or slower than the caller's bound
//
// Networks that are the operator's own are let through by a list of theirs
// (--egress-allow), and an installation on loopback may call loopback, in plain
// http too, so that it can be tried out on one machine.
//
// A [Client] is made for one purpose: it bounds how many requests of that
// purpose run at once, so slow servers of strangers hold up nothing else.
package egress
