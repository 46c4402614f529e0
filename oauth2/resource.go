package oauth2

import (
	"net/url"
	"slices"
	"strings"

	"github.com/pointgate/pointgate/store"
)

const maxResource = 256 // characters of a resource's URI

// CheckResource says what is wrong with a resource of a tenant (RFC 8707),
// before it is inserted or updated.
func CheckResource(t *store.Tenant, s *store.Resource) []Fault {
	var faults []Fault
	check := func(ok bool, field, detail string) {
		if !ok {
			faults = append(faults, Fault{field, detail})
		}
	}
	check(clientID.MatchString(s.ID), "id", "It must have 3 to 64 characters of a-z, 0-9, . _ -.")
	check(s.Name != "", "name", "It is needed: people are asked to let apps use it.")
	check(resourceRegistrable(s.URI), "uri", "It must be an https URI, or http on loopback, of at most 256 characters, without fragment, user name and wildcard.")
	check(!ours(t, s.URI), "uri", "It must not be that of this server or of its own API.")
	check(!slices.ContainsFunc(s.Scopes, func(name string) bool { _, ok := ScopeNamed(name); return !ok }), "scopes", "One of them does not exist.")
	check(slices.ContainsFunc(s.Scopes, func(name string) bool { return !ofServer(name) }), "scopes", "One of the API is needed: what the others allow is at this server.")
	return faults
}

func resourceRegistrable(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && len(raw) <= maxResource && (u.Scheme == "https" || u.Scheme == "http") && redirectRegistrable(raw)
}

// ours reports whether the URI is, or could be taken for, one whose tokens this
// server itself accepts.
func ours(t *store.Tenant, uri string) bool {
	plain := strings.TrimRight(uri, "/")
	return plain == t.Issuer || plain == t.Resource()
}

// ofServer reports whether a scope speaks to this server and not to an API: it
// goes with tokens for whatever resource.
func ofServer(name string) bool {
	s, ok := ScopeNamed(name)
	return ok && !s.API
}

// OtherSpelling is the one other way to write the URI of a resource at the root
// of its host, with or without the slash (RFC 3986 §6.2.3): libraries add it.
// Any other URI has only one.
func OtherSpelling(uri string) string {
	if plain, ok := strings.CutSuffix(uri, "/"); ok {
		if u, err := url.Parse(plain); err == nil && u.Path == "" && u.RawQuery == "" {
			return plain
		}
	} else if u, err := url.Parse(uri); err == nil && u.Path == "" && u.RawQuery == "" {
		return uri + "/"
	}
	return uri
}
