package oauth2

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

// client is a store.Client as fosite's handlers see it.
type client struct {
	*store.Client
	audience string
}

func (c *client) GetID() string                   { return c.ID }
func (c *client) GetHashedSecret() []byte         { return nil } // see authenticate
func (c *client) GetRedirectURIs() []string       { return c.RedirectURIs }
func (c *client) GetGrantTypes() fosite.Arguments { return fosite.Arguments(c.GrantTypes) }
func (c *client) GetScopes() fosite.Arguments     { return fosite.Arguments(c.Scopes) }
func (c *client) IsPublic() bool                  { return c.Public }
func (c *client) GetAudience() fosite.Arguments   { return fosite.Arguments{c.audience} }

func (c *client) GetResponseTypes() fosite.Arguments { return fosite.Arguments{"code"} }

// client finds an enabled client of the exchange's tenant: a disabled one reads
// as not there, and an id that no database could hold too.
func (p *Provider) client(ctx context.Context, x *exchange, id string) (*client, error) {
	if !plausible(id) {
		return nil, store.ErrNotFound
	}
	c, err := store.GetClient(ctx, p.store, x.tenant.ID, id)
	if err != nil {
		return nil, x.failed(err)
	}
	if !c.DisabledAt.IsZero() {
		return nil, store.ErrNotFound
	}
	return &client{Client: c, audience: x.tenant.Resource()}, nil
}

// plausible reports whether id may be a client's at all.
func plausible(id string) bool {
	return id != "" && (len(id) <= maxClientID || isDocumentID(id)) && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}

// target finds out where the browser goes with the answer: the address that was
// sent, if it is registered, or the only one that is.
func (c *client) target(ctx context.Context, sent string) (*url.URL, error) {
	to := sent
	if sent == "" && len(c.RedirectURIs) == 1 {
		to = c.RedirectURIs[0]
	}
	u, err := url.Parse(to)
	if err != nil || u.String() != to || !redirectSecure(ctx, u) {
		return nil, errRedirect // not in its plain spelling, or not a place for a code
	}
	for _, r := range c.RedirectURIs {
		if r == to || sameLoopback(u, r) {
			return u, nil
		}
	}
	return nil, errRedirect
}

var errRedirect = errors.New("the redirect_uri is not registered")

// sameLoopback lets an app on the person's machine listen at any port (RFC 8252
// §7.3). Only the port may differ: fosite would also take another scheme for
// the registered one, and drop a user name.
func sameLoopback(u *url.URL, registered string) bool {
	r, err := url.Parse(registered)
	if err != nil || r.Scheme != "http" || !loopbackLiteral(r) || !loopbackLiteral(u) {
		return false
	}
	a, b := *u, *r
	a.Host, b.Host = u.Hostname(), r.Hostname()
	return a.String() == b.String()
}

func loopbackLiteral(u *url.URL) bool {
	h := u.Hostname()
	return h == "127.0.0.1" || h == "::1"
}
