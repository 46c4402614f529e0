package oauth2

import (
	"context"
	"errors"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// Introspection is the answer about a token (RFC 7662 §2.2). The zero value is
// exactly {"active":false}.
type Introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Subject   string `json:"sub,omitempty"`
	TokenType string `json:"token_type,omitempty"` // Bearer; not of refresh tokens
	IssuedAt  int64  `json:"iat,omitempty"`
	ExpiresAt int64  `json:"exp,omitempty"` // of this very token
	Issuer    string `json:"iss,omitempty"`
	Audience  string `json:"aud,omitempty"`
}

// Introspect tells a confidential client about a token that it was given, or
// that is for an audience that it serves. Of any other token it learns no more
// than of junk. A refresh token is told about only to its own client. Its
// errors are *[Error].
func (p *Provider) Introspect(ctx context.Context, r *Request) (*Introspection, error) {
	ctx, x := p.begin(ctx, r.Tenant)
	defer r.note(x)
	asker, token, err := p.tokenRequest(ctx, x, r)
	if err != nil {
		return nil, x.end(err)
	}
	if asker.Public {
		return nil, refuse("invalid_client")
	}
	found, err := p.describe(ctx, x, asker, token)
	if errors.Is(err, store.ErrNotFound) {
		return &Introspection{}, nil
	}
	if err != nil {
		return nil, x.end(err)
	}
	return found, nil
}

// tokenRequest reads what introspection and revocation have in common. The
// hint is not needed: a token's prefix tells its kind.
func (p *Provider) tokenRequest(ctx context.Context, x *exchange, r *Request) (*client, string, error) {
	if err := single(r.Form); err != nil {
		return nil, "", err
	}
	c, err := p.authenticate(ctx, x, r.Authorization, r.Form)
	if err != nil {
		return nil, "", err
	}
	token := r.Form.Get("token")
	if token == "" {
		return nil, "", refuse("invalid_request").saying("The token is missing.")
	}
	return c, token, nil
}

// describe finds a live token that the asker may know of; store.ErrNotFound
// for all else.
func (p *Provider) describe(ctx context.Context, x *exchange, asker *client, token string) (*Introspection, error) {
	out := &Introspection{Active: true, Issuer: x.tenant.Issuer}
	if s := p.access.signature(ctx, token); s != "" {
		t, err := store.GetAccessToken(ctx, p.store, rowKey(s))
		if err != nil {
			return nil, x.failed(err)
		}
		may := asker.Introspects.Has(t.Audience) || asker.ID == t.ClientID
		if !may || t.Tenant != x.tenant.ID || p.status(t) != Valid {
			return nil, store.ErrNotFound
		}
		out.TokenType, out.IssuedAt, out.ExpiresAt = "Bearer", t.CreatedAt.Unix(), t.ExpiresAt.Unix()
		out.Scope, out.ClientID, out.Subject, out.Audience = strings.Join(keep(t.Scopes, within(t.ClientScopes)), " "), t.ClientID, t.Subject, t.Audience
		return out, nil
	}
	s := p.refresh.signature(ctx, token)
	if s == "" {
		return nil, store.ErrNotFound
	}
	t, err := store.GetRefreshToken(ctx, p.store, rowKey(s))
	if err != nil {
		return nil, x.failed(err)
	}
	good := t.Live && t.UsedAt.IsZero() && x.now.Before(t.ExpiresAt.Time)
	if !good || t.Tenant != x.tenant.ID || asker.ID != t.ClientID {
		return nil, store.ErrNotFound
	}
	out.IssuedAt, out.ExpiresAt = t.CreatedAt.Unix(), t.ExpiresAt.Unix()
	out.Scope, out.ClientID, out.Subject, out.Audience = strings.Join(keep(t.Scopes, within(t.ClientScopes)), " "), t.ClientID, t.Subject, t.Audience
	return out, nil
}
