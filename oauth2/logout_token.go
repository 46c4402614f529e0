package oauth2

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/store"
)

// logoutTokenLifetime is short: a token is made for each attempt to deliver one.
const logoutTokenLifetime = 2 * time.Minute

const typLogout = "logout+jwt" // OpenID Connect Back-Channel Logout §2.4

// logoutClaims are those of a logout token. It never has a nonce, so that it can't
// be taken for an ID token.
type logoutClaims struct {
	Issuer    string                         `json:"iss"`
	Subject   string                         `json:"sub"`
	Audience  string                         `json:"aud"`
	IssuedAt  int64                          `json:"iat"`
	ExpiresAt int64                          `json:"exp"`
	ID        string                         `json:"jti"`
	SessionID string                         `json:"sid"`
	Events    map[string]map[string]struct{} `json:"events"`
}

// LogoutToken is the token that tells a client that a session has ended. It is
// store.ErrNotFound where the client is gone, or wants to hear of it somewhere
// else by now. It may write, so it must not be called in a write.
func (p *Provider) LogoutToken(ctx context.Context, l *store.Logout) (string, error) {
	c, err := store.GetClient(ctx, p.store, l.Tenant, l.ClientID)
	if err != nil {
		return "", err
	}
	t, err := store.GetTenant(ctx, p.store, l.Tenant)
	if err != nil {
		return "", err
	}
	if c.BackchannelURI != l.URI || !c.DisabledAt.IsZero() || !t.DisabledAt.IsZero() {
		return "", store.ErrNotFound
	}
	key, err := p.signing.signer(ctx, t.ID, algOf(c))
	if err != nil {
		return "", err
	}
	now := p.now()
	return key.sign(typLogout, &logoutClaims{
		Issuer: t.Issuer, Subject: l.Subject, Audience: c.ID, IssuedAt: now.Unix(), ExpiresAt: now.Add(logoutTokenLifetime).Unix(),
		ID: newID("lgt_"), SessionID: l.SessionID, Events: map[string]map[string]struct{}{"http://schemas.openid.net/event/backchannel-logout": {}},
	})
}
