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
	TokenType string `json:"token_type,omitempty"` // Bearer or DPoP; not of refresh tokens
	IssuedAt  int64  `json:"iat,omitempty"`
	ExpiresAt int64  `json:"exp,omitempty"` // of this very token
	Issuer    string `json:"iss,omitempty"`
	Audience  string `json:"aud,omitempty"`

	Cnf *Confirmation `json:"cnf,omitempty"` // of a token that is bound
	// How the person logged in, and when (RFC 9470 §6.2); not of clients.
	ACR      string   `json:"acr,omitempty"`
	AuthTime int64    `json:"auth_time,omitempty"`
	AMR      []string `json:"amr,omitempty"`
	Act      *Actor   `json:"act,omitempty"` // who acts for sub (RFC 8693 §4.1)
}

// Introspect finds out what a confidential client asks about a token, for the
// policy to judge whether it may know. Of a token that it may not know of it
// learns no more than of junk. Its errors are *[Error].
func (p *Provider) Introspect(ctx context.Context, r *Request) (*Inquiry, error) {
	ctx, x := p.receive(ctx, r)
	defer r.note(x)
	asker, token, err := p.tokenRequest(ctx, x, r)
	if err != nil {
		return nil, x.end(err)
	}
	if asker.Public {
		return nil, refuse("invalid_client")
	}
	q := &Inquiry{Act: Act{
		Action: "token.introspect", Client: asker.Client, Method: x.method, SubjectType: "client", Subject: asker.ID, Object: Object{Type: "token"},
	}}
	if err := p.describe(ctx, x, q, token); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, x.end(err)
	}
	return q, nil
}

// Inquiry is a question about a token, and its answer for those who may know it.
// A token that is not there, or not live, is not named in it.
type Inquiry struct {
	Act
	Answer Introspection
}

// about names the token that was found: its grant, whether it is the asker's
// own, and whether the asker serves its audience.
func (q *Inquiry) about(kind, grant, client, audience string) {
	q.Object = Object{Type: "token", ID: grant, Owner: client}
	q.Facts = map[string]any{
		"token_type": kind, "audience": audience, "own": client == q.Client.ID, "serves": q.Client.Introspects.Has(audience),
	}
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

// describe finds a live token of the tenant; store.ErrNotFound for all else.
func (p *Provider) describe(ctx context.Context, x *exchange, q *Inquiry, token string) error {
	if isAccess(token) {
		t, err := p.findAccess(ctx, p.store, token)
		if err != nil {
			return x.failed(err)
		}
		if t.Tenant != x.tenant.ID || p.status(t) != Valid {
			return store.ErrNotFound
		}
		q.about("access_token", t.GrantID, t.ClientID, t.Audience)
		q.Answer = x.introspection(t.Standing, t.Scopes, t.ClientID, t.Audience, t.CreatedAt, t.ExpiresAt)
		q.Answer.TokenType, q.Answer.Cnf = tokenType(t.Cnf), confirmation(t.Cnf)
		return nil
	}
	s := p.refresh.signature(ctx, token)
	if s == "" {
		return store.ErrNotFound
	}
	t, err := store.GetRefreshToken(ctx, p.store, rowKey(s))
	if err != nil {
		return x.failed(err)
	}
	if t.Tenant != x.tenant.ID || !t.Live || !t.UsedAt.IsZero() || !x.now.Before(t.ExpiresAt.Time) {
		return store.ErrNotFound
	}
	q.about("refresh_token", t.GrantID, t.ClientID, t.Audience)
	q.Answer = x.introspection(t.Standing, t.Scopes, t.ClientID, t.Audience, t.CreatedAt, t.ExpiresAt)
	q.Answer.Cnf = confirmation(t.Cnf)
	return nil
}

// introspection is what there is to say of tokens of both kinds.
func (x *exchange) introspection(s store.Standing, scopes store.Words, client, audience string, from, until store.Time) Introspection {
	i := Introspection{
		Active: true, Issuer: x.tenant.Issuer, Scope: strings.Join(keep(scopes, within(s.ClientScopes)), " "), ClientID: client, Subject: s.Subject,
		Act: actorOf(s.Actor), Audience: audience, IssuedAt: from.Unix(), ExpiresAt: until.Unix(),
	}
	if !s.AuthTime.IsZero() {
		i.ACR, i.AuthTime, i.AMR = ACR(s.AMR), s.AuthTime.Unix(), s.AMR
	}
	return i
}
