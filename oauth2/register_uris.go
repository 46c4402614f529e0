package oauth2

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

const maxURI = 512 // characters

var privateScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)

// addresses is about where browsers go, and what this server asks.
func (f *faults) addresses(c *store.Client) {
	f.each(c.RedirectURIs, redirectRegistrable, "redirect_uris", redirectRule)
	f.each(c.Origins, isOrigin, "origins", "Each must be scheme://host[:port], https or loopback.")
	f.check(len(c.LogoutURIs) <= maxRedirects, "post_logout_redirect_uris", "There are 20 at most.")
	f.each(c.LogoutURIs, redirectRegistrable, "post_logout_redirect_uris", redirectRule)
	f.check(c.BackchannelURI == "" || isWebAddress(c.BackchannelURI), "backchannel_logout_uri", webRule)
	f.check(c.Homepage == "" || isWebAddress(c.Homepage), "homepage", webRule)
}

const (
	redirectRule = "Each must be https, http on loopback, or a private scheme with a dot; without fragment, user name and wildcard."
	webRule      = "It must be https, or http on loopback; without fragment, user name and wildcard, of 512 characters at most."
)

func redirectRegistrable(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && !strings.ContainsAny(raw, "#*\\ ") && u.String() == raw && redirectSecure(context.Background(), u)
}

// isWebAddress reports whether the address may be asked by this server, or be
// shown as a link.
func isWebAddress(raw string) bool {
	return len(raw) <= maxURI && redirectRegistrable(raw) && (strings.HasPrefix(raw, "https:") || strings.HasPrefix(raw, "http:"))
}

// redirectSecure reports whether a code may travel to the address: https, http
// that does not leave the machine, or a scheme that an app owns (RFC 8252
// §7.1). The dot keeps out javascript:, data: and their like, which fosite
// would let through.
func redirectSecure(_ context.Context, u *url.URL) bool {
	if u == nil || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Hostname() != ""
	case "http":
		return fosite.IsLocalhost(u)
	}
	return privateScheme.MatchString(u.Scheme)
}

func isOrigin(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme+"://"+u.Host == raw && (u.Scheme == "https" || u.Scheme == "http") && redirectSecure(context.Background(), u)
}

// isResource reports whether the URI may name a resource (RFC 8707 §2).
func isResource(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && len(raw) <= maxURI && u.String() == raw && u.Scheme != "" && u.Host != "" && u.User == nil && !strings.ContainsAny(raw, "#\\ ")
}

// IsAppScheme reports whether a scheme can be an app's own: one with a dot (RFC
// 8252 §7.1), which keeps out javascript:, data: and their like.
func IsAppScheme(s string) bool { return privateScheme.MatchString(s) }
