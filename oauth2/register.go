package oauth2

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pointgate/pointgate/store"
)

const (
	maxClientID     = 64
	maxRedirects    = 20
	maxResources    = 20
	maxRefreshGrace = 5 * 60             // seconds
	minRefreshLife  = 60                 // seconds, idle or in all
	maxRefreshLife  = 365 * 24 * 60 * 60 // seconds
)

// The names of the grant types that are not words.
const ()

var (
	clientID   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{2,63}$`)
	personID   = regexp.MustCompile(`^(cus|stf|usr)_`)
	grantTypes = []string{"authorization_code", "refresh_token", "client_credentials", DeviceGrant, ExchangeGrant}
)

// Fault is what is wrong with one field of a client that is to be registered.
// Field is the name in the admin API, which is that of RFC 7591 where it has
// one; Detail may be told.
type Fault struct{ Field, Detail string }

// faults gathers what is wrong.
type faults []Fault

func (f *faults) check(ok bool, field, detail string) {
	if !ok {
		*f = append(*f, Fault{field, detail})
	}
}

// each checks all members of a list.
func (f *faults) each(all []string, good func(string) bool, field, detail string) {
	f.check(!slices.ContainsFunc(all, func(s string) bool { return !good(s) }), field, detail)
}

// CheckClient says what is wrong with a client, before it is inserted or
// updated. Nothing else in this package asks again whether a registered value
// is sensible. Whether its resources exist, the store knows.
func CheckClient(c *store.Client) []Fault {
	var f faults
	f.identity(c)
	f.grants(c)
	f.addresses(c)
	f.authentication(c)
	f.tokens(c)
	return f
}

func (f *faults) identity(c *store.Client) {
	f.check(clientID.MatchString(c.ID) && !personID.MatchString(c.ID) || c.RegisteredBy == "document" && isDocumentID(c.ID), "id", "It must have 3 to 64 characters of a-z, 0-9, . _ -, and must not look like the id of a person.")
	f.check(c.Name != "", "name", "It is needed: people are asked to trust it.")
	f.check(!c.Public || !c.Trusted, "trusted", "A public client can be impersonated, so it can't be trusted.")
	f.check(!c.Trusted || c.RegisteredBy == "" || c.RegisteredBy == "admin", "trusted", "Who registered this client has its secrets and addresses: only one that an administrator made can be trusted.")
	f.check(!c.Public || len(c.Introspects) == 0, "introspects", "A public client can't introspect.")
}

func (f *faults) grants(c *store.Client) {
	code := c.GrantTypes.Has("authorization_code")
	f.check(len(keep(c.GrantTypes, within(grantTypes))) == len(c.GrantTypes), "grant_types", "It must be some of "+strings.Join(grantTypes, ", ")+", or none for a resource server.")
	f.check(!c.GrantTypes.Has("refresh_token") || code || c.GrantTypes.Has(DeviceGrant), "grant_types", "refresh_token needs authorization_code or the device grant.")
	f.check(!c.Public || !c.GrantTypes.Has("client_credentials"), "grant_types", "A public client has no credentials.")
	f.check(!c.Public || !c.GrantTypes.Has(ExchangeGrant), "grant_types", "A public client can't exchange tokens: it could be anyone.")
	f.check(len(c.RedirectURIs) <= maxRedirects && code == (len(c.RedirectURIs) > 0), "redirect_uris", "1 to 20 are needed with authorization_code, none without.")
	f.check(!c.RequirePAR || code, "require_pushed_authorization_requests", "Only a client with authorization_code has any to push.")
	f.each(c.Scopes, func(s string) bool { _, ok := ScopeNamed(s); return ok }, "scopes", "One of them does not exist.")
}

// tokens is about what the client's tokens look like, and how long they live.
func (f *faults) tokens(c *store.Client) {
	f.check(c.Bound == "" || c.Bound == "dpop" || c.Bound == "mtls", "dpop_bound_access_tokens", "Tokens are bound to a DPoP key, to a certificate, or to nothing.")
	f.check(c.TokenFormat == "" || c.TokenFormat == "jwt", "access_token_format", "It must be opaque or jwt.")
	f.check(c.SigningAlg == "" || slices.Contains(SigningAlgs, c.SigningAlg), "signing_alg", "It must be one of "+strings.Join(SigningAlgs, ", ")+".")
	f.check(len(c.Resources) <= maxResources, "resources", "There are 20 at most.")
	f.each(c.Resources, isResource, "resources", "Each must be an absolute URI with a host, and without fragment and user name.")
	f.check(c.RefreshGrace >= 0 && c.RefreshGrace <= maxRefreshGrace, "refresh_grace", "It must be from 0 to 300 seconds.")
	f.check(refreshLife(c.RefreshIdle), "refresh_idle", "It must be from 60 seconds to 365 days.")
	f.check(refreshLife(c.RefreshMost), "refresh_max", "It must be from 60 seconds to 365 days.")
	f.check(c.RefreshIdle == 0 || c.RefreshMost == 0 || c.RefreshIdle <= c.RefreshMost, "refresh_idle", "It can't be longer than refresh_max.")
}

// SigningAlgs are the algorithms by which JWTs can be signed (RFC 7518 §3.1,
// RFC 8037).
var SigningAlgs = []string{"ES256", "RS256", "EdDSA"}

// refreshLife: 0 is the default.
func refreshLife(seconds int64) bool {
	return seconds == 0 || seconds >= minRefreshLife && seconds <= maxRefreshLife
}
