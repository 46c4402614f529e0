package oauth2

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pointgate/pointgate/store"
)

// What clients may say of themselves.
const (
	maxMetadata   = 16 << 10 // bytes of a registration
	maxClientName = 100      // characters
)

// selfGrants are the grants of clients that register themselves: a person stands
// behind each, and says yes on a page of ours.
var selfGrants = []string{"authorization_code", "refresh_token"}

// selfMethods are the ways in which they may prove who they are.
var selfMethods = []string{methodNone, methodBasic, methodPost, methodAssertion}

// clientMetadata is what a client says of itself (RFC 7591 §2), as it is
// understood here. What is not known is passed over, as the RFC has it.
type clientMetadata struct {
	members map[string]json.RawMessage
	err     *Error // the first that was wrong
}

// readClientMetadata fills a client with what the object says. The client
// already has what it can't say of itself: tenant, id, who registered it.
func readClientMetadata(t *store.Tenant, c *store.Client, members map[string]json.RawMessage) *Error {
	m := &clientMetadata{members: members}
	m.names(c)
	m.redirects(t, c)
	m.grants(c)
	m.authentication(c)
	m.rest(t, c)
	if m.err != nil {
		return m.err
	}
	return selfRegistrable(c)
}

// selfRegistrable asks what is asked of every client.
func selfRegistrable(c *store.Client) *Error {
	faults := CheckClient(c)
	switch {
	case len(faults) == 0:
		return nil
	case faults[0].Field == "redirect_uris":
		return refuse("invalid_redirect_uri")
	}
	return refuse("invalid_client_metadata").saying(metadataFaults[faults[0].Field])
}

// metadataFaults say which member was wrong. Those of [Fault] hold characters
// that RFC 6749 has no room for.
var metadataFaults = map[string]string{
	"name":                       "The client_name is missing.",
	"homepage":                   "The client_uri must be https, or http on loopback.",
	"grant_types":                "The grant_types do not fit together.",
	"jwks":                       "The jwks is missing or has a key that is not taken.",
	"jwks_uri":                   "The jwks_uri must be https, or http on loopback, and stand in place of jwks.",
	"token_endpoint_auth_method": "The token_endpoint_auth_method is not one that this client can have.",
	"post_logout_redirect_uris":  "One of the post_logout_redirect_uris can not be registered.",
	"backchannel_logout_uri":     "The backchannel_logout_uri must be https, or http on loopback.",
}

func (m *clientMetadata) wrong(code, text string) {
	if m.err == nil {
		m.err = refuse(code).saying(text)
	}
}

func (m *clientMetadata) invalid(text string) { m.wrong("invalid_client_metadata", text) }

// given reports whether there is such a member; null is none (RFC 7591 §2).
func (m *clientMetadata) given(name string) bool {
	raw, ok := m.members[name]
	return ok && !bytes.Equal(raw, []byte("null"))
}

// text is a member that is a string without control characters.
func (m *clientMetadata) text(name, unless string) string {
	if !m.given(name) {
		return unless
	}
	var s string
	if json.Unmarshal(m.members[name], &s) != nil || strings.ContainsFunc(s, unicode.IsControl) {
		m.invalid("A member that must be a string of one line is something else.")
		return unless
	}
	return s
}

// list is a member that is an array of strings without white space.
func (m *clientMetadata) list(name string, unless []string) []string {
	if !m.given(name) {
		return unless
	}
	var all []string
	bad := func(s string) bool { return s == "" || strings.ContainsFunc(s, unicode.IsSpace) }
	if json.Unmarshal(m.members[name], &all) != nil || slices.ContainsFunc(all, bad) {
		m.invalid("A member that must be an array of strings is something else.")
		return unless
	}
	return all
}

func (m *clientMetadata) truth(name string) (v bool) {
	if m.given(name) && json.Unmarshal(m.members[name], &v) != nil {
		m.invalid("A member that must be true or false is something else.")
	}
	return v
}

// names: what people are asked to trust. A client without a name is called by
// where it lives.
func (m *clientMetadata) names(c *store.Client) {
	c.Name = strings.TrimSpace(m.text("client_name", ""))
	if utf8.RuneCountInString(c.Name) > maxClientName || strings.ContainsFunc(c.Name, Deceptive) {
		m.invalid("The client_name must have at most 100 characters, all of which can be seen.")
	}
	c.Homepage = m.text("client_uri", "")
}

// Deceptive reports whether a character can make a name look like another one:
// direction marks, and what has no width.
func Deceptive(r rune) bool { return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) }

func (m *clientMetadata) redirects(t *store.Tenant, c *store.Client) {
	var all []string
	bad := func(s string) bool { return len(s) > maxURI || !selfRedirect(t, s) }
	if !m.given("redirect_uris") || json.Unmarshal(m.members["redirect_uris"], &all) != nil ||
		len(all) == 0 || len(all) > maxRedirects || slices.ContainsFunc(all, bad) {
		m.wrong("invalid_redirect_uri", SelfRedirectRule)
		return
	}
	c.RedirectURIs = keep(all, func(string) bool { return true })
	if c.Name == "" {
		if u, err := url.Parse(all[0]); err == nil {
			c.Name = u.Hostname()
		}
	}
}

// SelfRedirectRule is what addresses a client may register by itself.
const SelfRedirectRule = "1 to 20 redirect_uris are needed: https, http on loopback, or a scheme of an app that is allowed here; without fragment, user name and wildcard."

// selfRedirect: of the schemes that apps own, strangers get those alone that the
// tenant lists.
func selfRedirect(t *store.Tenant, raw string) bool {
	if !redirectRegistrable(raw) {
		return false
	}
	scheme, _, _ := strings.Cut(raw, ":")
	return scheme == "https" || scheme == "http" || t.AppSchemes.Has(scheme)
}

// grants: no grant but those where a person is asked, no scope but a customer's.
// A scope that can't be had is left out, and the answer says what was registered
// (RFC 7591 §3.2.1): clients ask for all that the metadata lists.
func (m *clientMetadata) grants(c *store.Client) {
	c.GrantTypes = m.list("grant_types", []string{"authorization_code"})
	if !within(c.GrantTypes)("authorization_code") || slices.ContainsFunc(c.GrantTypes, func(g string) bool { return !within(selfGrants)(g) }) {
		m.invalid("The grant_types must be authorization_code, and refresh_token if it is wanted.")
		c.GrantTypes = keep(c.GrantTypes, within(selfGrants)) // refused for what it says, not by the policy
	}
	if kinds := m.list("response_types", []string{"code"}); len(kinds) != 1 || kinds[0] != "code" {
		m.invalid("The response_types must be code alone.")
	}
	c.Scopes = holdable("customer", scopeNames())
	if wanted := strings.Fields(m.text("scope", "")); len(wanted) > 0 {
		c.Scopes = holdable("customer", wanted)
	}
	if !c.GrantTypes.Has("refresh_token") {
		c.Scopes = keep(c.Scopes, func(s string) bool { return s != offline })
	}
	if !useful(c.Scopes) {
		m.invalid("None of the scopes can be had by a client that registers itself.")
	}
}

func scopeNames() []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = s.Name
	}
	return out
}

func (m *clientMetadata) authentication(c *store.Client) {
	c.AuthMethod = m.text("token_endpoint_auth_method", methodBasic)
	c.Public = c.AuthMethod == methodNone
	if !within(selfMethods)(c.AuthMethod) {
		m.invalid("The token_endpoint_auth_method must be none, client_secret_basic, client_secret_post or private_key_jwt.")
	}
	c.JWKSURI = m.text("jwks_uri", "")
	if m.given("jwks") {
		c.JWKS = string(m.members["jwks"])
	}
	if c.Public { // what it can't prove anything with is not kept
		c.JWKS, c.JWKSURI = "", ""
	}
}

func (m *clientMetadata) rest(t *store.Tenant, c *store.Client) {
	c.LogoutURIs = m.list("post_logout_redirect_uris", nil)
	if slices.ContainsFunc(c.LogoutURIs, func(s string) bool { return !selfRedirect(t, s) }) {
		m.invalid(metadataFaults["post_logout_redirect_uris"])
	}
	c.BackchannelURI = m.text("backchannel_logout_uri", "")
	c.RequirePAR = m.truth("require_pushed_authorization_requests")
	if m.truth("dpop_bound_access_tokens") {
		c.Bound = "dpop"
	}
	c.RefreshGrace = selfRefreshGrace
}

// selfRefreshGrace is in seconds: a lost answer signs nobody out.
const selfRefreshGrace = 30
