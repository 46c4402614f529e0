package edge

import (
	"bytes"
	"strings"

	"github.com/valyala/fasthttp"
)

// single are the headers that must not be sent twice: two readers that pick
// different ones are how requests are smuggled past a check.
var single = map[string]bool{
	"authorization": true, "x-api-key": true, "content-type": true, "content-length": true, "transfer-encoding": true,
	"host": true, "origin": true, "cookie": true, "idempotency-key": true,
	"x-forwarded-host": true, "x-forwarded-proto": true, "sec-fetch-site": true,
}

// ambiguous reports a request that two readers may read in two ways: a doubled
// header, a length or a host that is given in two ways, a coding other than
// chunked (RFC 9112 §6.1), a folded line (§5.2), white space in front of a
// colon (§5.1), and headers in a trailer (RFC 9110 §6.5.1).
func ambiguous(h *fasthttp.RequestHeader) bool {
	seen := map[string]bool{}
	for line := range bytes.Lines(h.RawHeaders()) {
		name, value, ok := bytes.Cut(line, []byte{':'})
		if line[0] == ' ' || line[0] == '\t' || (ok && len(bytes.TrimRight(name, " \t")) < len(name)) {
			return true
		}
		if !ok {
			continue
		}
		n := strings.ToLower(string(name))
		if single[n] && seen[n] {
			return true
		}
		if n == "transfer-encoding" && !strings.EqualFold(strings.TrimSpace(string(value)), "chunked") {
			return true
		}
		seen[n] = true
	}
	chunked := seen["transfer-encoding"]
	return !sameHost(h) || (chunked && (seen["content-length"] || trailers(h, seen)))
}

// trailers reports a header that was not in the head: fasthttp adds those of a
// trailer to the others.
func trailers(h *fasthttp.RequestHeader, head map[string]bool) (found bool) {
	for name := range h.All() {
		n := strings.ToLower(string(name))
		found = found || (!head[n] && n != "content-length")
	}
	return found
}

// sameHost reports whether a target that names a host (RFC 9112 §3.2.2) names
// the one of the Host header, by which the tenant is found.
func sameHost(h *fasthttp.RequestHeader) bool {
	_, rest, absolute := bytes.Cut(h.RequestURI(), []byte("://"))
	if !absolute || h.RequestURI()[0] == '/' {
		return true
	}
	host, _, _ := bytes.Cut(rest, []byte{'/'})
	return bytes.EqualFold(host, h.Host())
}
