package authn

import (
	"context"
	"errors"
	"strings"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// What our OAuth2 access tokens begin with; a JWT by the brace of its header.
const (
	accessPrefix = "pga_"
	jwtPrefix    = "eyJ"
)

// Tokens looks up OAuth2 access tokens. store.ErrNotFound says that we never
// made this one, which it can tell of a malformed token without a query.
type Tokens interface {
	Lookup(ctx context.Context, token string) (*oauth2.Token, error)
	// Prove checks that a token is sent by who it is bound to; an *oauth2.Error
	// says why it is not.
	Prove(ctx context.Context, tenant *store.Tenant, token string, t *oauth2.Token, s *oauth2.Shown) error
}

// OAuth2 is the method of access tokens (RFC 6750 §2.1, RFC 9449 §7.1).
type OAuth2 struct {
	Tokens Tokens
	Uses   *Uses // nil: uses are not noted
}

// Name implements [Method].
func (OAuth2) Name() string { return "oauth2" }

// Find implements [Method].
func (OAuth2) Find(c *Credentials) bool {
	ours := strings.HasPrefix(c.Secret, accessPrefix) || strings.HasPrefix(c.Secret, jwtPrefix)
	return ours && (c.Scheme == schemeBearer || c.Scheme == schemeDPoP)
}

// Authenticate implements [Method]. A token of this tenant must be for its API
// (RFC 8707): one that was made for another resource server is no good here. A
// token of another tenant is left for the policy, which refuses it by name.
func (m OAuth2) Authenticate(ctx context.Context, c *Credentials) (web.Caller, error) {
	t, err := m.Tokens.Lookup(ctx, c.Secret)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return web.Anonymous(m.Name(), web.Invalid), nil
	case err != nil:
		return web.Caller{}, err
	case t.Tenant == c.Tenant.ID && t.Audience != c.Tenant.Resource():
		return web.Anonymous(m.Name(), web.Invalid), nil
	}
	k := web.Caller{
		Method: m.Name(), Status: web.Status(t.Status), Type: t.SubjectType, ID: t.Subject, Tenant: t.Tenant,
		Roles: t.Roles, Actor: t.Actor, Scopes: t.Scopes, ClientID: t.ClientID, Trusted: t.Trusted,
		IssuedAt: t.IssuedAt, AuthTime: t.AuthTime, AMR: t.AMR, ACR: t.ACR, GrantID: t.GrantID,
		Resource: t.Audience,
	}
	if k.Status == web.Valid {
		err = m.prove(ctx, c, t, &k)
	}
	if err == nil && k.Status == web.Valid && k.Tenant == c.Tenant.ID {
		err = m.Uses.note(ctx, t, c.IP)
	}
	return k, err
}

// prove makes an invalid credential of a token that is bound to a key which this
// caller doesn't show. The record still says whose token it was: somebody else
// may have it.
func (m OAuth2) prove(ctx context.Context, c *Credentials, t *oauth2.Token, k *web.Caller) error {
	err := m.Tokens.Prove(ctx, c.Tenant, c.Secret, t, &oauth2.Shown{
		Scheme: c.Scheme, Method: c.Method, URL: c.URL, DPoP: c.DPoP, Certificate: c.Certificate,
	})
	var refused *oauth2.Error
	switch {
	case errors.As(err, &refused):
		k.Status, k.Fault, k.FaultDetail = web.Invalid, refused.Code, refused.Description
		return nil
	case err == nil:
		k.Bound = t.Bound()
	}
	return err
}
