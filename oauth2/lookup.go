package oauth2

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/store"
)

// The statuses of a [Token].
const (
	Valid   = "valid"
	Expired = "expired"
	Revoked = "revoked" // it, its grant, its client or its person
)

// Token is what an access token says about who is calling: facts, for the
// policy to judge.
type Token struct {
	GrantID     string
	Tenant      string
	ClientID    string
	Trusted     bool   // the client
	SubjectType string // customer, staff or client
	Subject     string
	Roles       []string // of a member of staff, as they are now
	Actor       string   // the client that acts for the subject, by a token that it exchanged; empty: none
	Scopes      []string
	Audience    string
	IssuedAt    time.Time
	ExpiresAt   time.Time
	AuthTime    time.Time // when the person logged in; zero for clients
	AMR         []string
	ACR         string    // the class of that login; see ACR
	Cnf         string    // what it is bound to, for [Provider.Prove]; empty: nothing
	Status      string    // Valid, Expired or Revoked
	LastUsedAt  time.Time // of its grant, to the minute; zero: never
}

// Bound is how the token is bound to a key: [BoundDPoP], [BoundMTLS] or "".
func (t *Token) Bound() string { return boundBy(t.Cnf) }

// Lookup finds an access token in one query. Junk, other kinds of token and
// what was never issued are store.ErrNotFound; junk costs no query. Revoking
// works from the next Lookup on: nothing is cached.
func (p *Provider) Lookup(ctx context.Context, token string) (*Token, error) {
	t, err := p.findAccess(ctx, p.store, token)
	if err != nil {
		return nil, err
	}
	return &Token{
		GrantID: t.GrantID, Tenant: t.Tenant, ClientID: t.ClientID, Trusted: t.Trusted,
		SubjectType: t.SubjectType, Subject: t.Subject, Roles: t.Roles, Actor: actorID(t.Actor), Scopes: keep(t.Scopes, within(t.ClientScopes)), Audience: t.Audience,
		IssuedAt: t.CreatedAt.Time, ExpiresAt: t.ExpiresAt.Time, AuthTime: t.AuthTime.Time, AMR: t.AMR, ACR: ACR(t.AMR),
		Cnf: t.Cnf, Status: p.status(t), LastUsedAt: t.LastUsedAt.Time,
	}, nil
}

func (p *Provider) status(t *store.AccessToken) string {
	switch {
	case !t.Live || !t.RevokedAt.IsZero():
		return Revoked
	case !p.now().Before(t.ExpiresAt.Time):
		return Expired
	}
	return Valid
}
