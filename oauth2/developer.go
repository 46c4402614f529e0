package oauth2

import (
	"net/url"
	"slices"
	"time"

	"github.com/pointgate/pointgate/store"
)

// NewApp is an app as a person registers it on the page for developers, without
// what they say of it. Whether it is public stays as it is.
func NewApp(t *store.Tenant, owner string, public bool, now time.Time) *store.Client {
	c := &store.Client{
		Tenant: t.ID, ID: newID("app_"), Public: public, Owner: owner, RegisteredBy: "developer", RefreshGrace: selfRefreshGrace, CreatedAt: store.At(now),
	}
	if public {
		c.AuthMethod = methodNone
	}
	return c
}

// AppScopes are what apps of developers can ask for.
func AppScopes() []Scope {
	return slices.DeleteFunc(Scopes(), func(s Scope) bool { return !s.Customer })
}

// Describe makes of an app what its developer says of it. It may be renewed
// without its person where it asks for that. A public one is a page of a
// browser, or an app beside it: its pages may call.
func Describe(c *store.Client, redirects, scopes []string) {
	c.RedirectURIs, c.Scopes = redirects, keep(scopes, func(string) bool { return true })
	c.GrantTypes = store.Words{"authorization_code"}
	if c.Scopes.Has(offline) {
		c.GrantTypes = selfGrants
	}
	c.Origins = nil
	for _, r := range redirects {
		if u, err := url.Parse(r); c.Public && err == nil && (u.Scheme == "https" || u.Scheme == "http") && !c.Origins.Has(u.Scheme+"://"+u.Host) {
			c.Origins = append(c.Origins, u.Scheme+"://"+u.Host)
		}
	}
}

// CheckApp says what is wrong with an app that its developer registers: less is
// good than where an administrator does.
func CheckApp(t *store.Tenant, c *store.Client) []Fault {
	var f faults
	bad := func(s string) bool { return len(s) > maxURI || !selfRedirect(t, s) }
	f.check(len(c.RedirectURIs) > 0 && len(c.RedirectURIs) <= maxRedirects && !slices.ContainsFunc(c.RedirectURIs, bad), "redirect_uris", SelfRedirectRule)
	f.check(len(holdable("customer", c.Scopes)) == len(c.Scopes) && useful(c.Scopes), "scopes", "Please tick what the app may ask for.")
	f.check(!slices.ContainsFunc(c.GrantTypes, func(g string) bool { return !within(selfGrants)(g) }), "grant_types", "Such an app acts for people alone.")
	return append(f, CheckClient(c)...)
}
