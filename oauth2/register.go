package oauth2

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

const (
	maxClientID     = 64
	maxRedirects    = 20
	maxRefreshGrace = 5 * 60 // seconds
)

var (
	clientID      = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{2,63}$`)
	personID      = regexp.MustCompile(`^(cus|stf|usr)_`)
	privateScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)
	grantTypes    = []string{"authorization_code", "refresh_token", "client_credentials"}
)

// Fault is what is wrong with one field of a client that is to be registered.
// Field is the name in the admin API; Detail may be told.
type Fault struct{ Field, Detail string }

// CheckClient says what is wrong with a client, before it is inserted or
// updated. Nothing else in this package asks again whether a registered value
// is sensible.
func CheckClient(c *store.Client) []Fault {
	var faults []Fault
	check := func(ok bool, field, detail string) {
		if !ok {
			faults = append(faults, Fault{field, detail})
		}
	}
	code := c.GrantTypes.Has("authorization_code")
	check(clientID.MatchString(c.ID) && !personID.MatchString(c.ID), "id", "It must have 3 to 64 characters of a-z, 0-9, . _ -, and must not look like the id of a person.")
	check(c.Name != "", "name", "It is needed: people are asked to trust it.")
	check(len(keep(c.GrantTypes, within(grantTypes))) == len(c.GrantTypes), "grant_types", "It must be some of "+strings.Join(grantTypes, ", ")+", or none for a resource server.")
	check(!c.GrantTypes.Has("refresh_token") || code, "grant_types", "refresh_token needs authorization_code.")
	check(!c.Public || !c.GrantTypes.Has("client_credentials"), "grant_types", "A public client has no credentials.")
	check(!c.Public || !c.Trusted, "trusted", "A public client can be impersonated, so it can't be trusted.")
	check(!c.Public || len(c.Introspects) == 0, "introspects", "A public client can't introspect.")
	check(len(c.RedirectURIs) <= maxRedirects && code == (len(c.RedirectURIs) > 0), "redirect_uris", "1 to 20 are needed with authorization_code, none without.")
	check(!slices.ContainsFunc(c.RedirectURIs, func(r string) bool { return !redirectRegistrable(r) }),
		"redirect_uris", "Each must be https, http on loopback, or a private scheme with a dot; without fragment, user name and wildcard.")
	check(!slices.ContainsFunc(c.Scopes, func(s string) bool { _, ok := ScopeNamed(s); return !ok }), "scopes", "One of them does not exist.")
	check(!slices.ContainsFunc(c.Origins, func(o string) bool { return !isOrigin(o) }), "origins", "Each must be scheme://host[:port], https or loopback.")
	check(c.RefreshGrace >= 0 && c.RefreshGrace <= maxRefreshGrace, "refresh_grace", "It must be from 0 to 300 seconds.")
	return faults
}

func redirectRegistrable(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && !strings.ContainsAny(raw, "#*\\ ") && u.String() == raw && redirectSecure(context.Background(), u)
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
