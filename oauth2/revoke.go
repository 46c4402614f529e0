package oauth2

import (
	"context"
	"errors"

	"github.com/pointgate/pointgate/store"
)

// Revoke ends a token of the client that asks (RFC 7009): a refresh token with
// its whole grant, an access token with what others got by exchanging one of the
// grant. A token that is not there is fine. A
// nil error means that the revocation is durable; every other is an *[Error],
// also where the store failed, which fosite would call success.
func (p *Provider) Revoke(ctx context.Context, r *Request) error {
	ctx, x := p.receive(ctx, r)
	defer r.note(x)
	c, token, err := p.tokenRequest(ctx, x, r)
	if err != nil {
		return x.end(err)
	}
	switch err := p.revocation(ctx, x, c, token); {
	case errors.Is(err, store.ErrNotFound) || err == nil && len(x.steps) == 0:
		return nil
	case err != nil:
		return x.end(err)
	}
	if err := p.commit(ctx, x); err != nil {
		return x.end(err)
	}
	return nil
}

// revocation finds the token and adds the step that ends it.
func (p *Provider) revocation(ctx context.Context, x *exchange, c *client, token string) error {
	if isAccess(token) {
		t, err := p.findAccess(ctx, p.store, token)
		if err != nil {
			return x.failed(err)
		}
		x.revoked("access_token", t.GrantID, t.ClientID, t.Standing)
		x.add(func(ctx context.Context, tx *store.Tx) error { return tx.RevokeAccessToken(ctx, t.Hash) })
		x.add(func(ctx context.Context, tx *store.Tx) error {
			return tx.RevokeExchanged(ctx, t.Tenant, t.GrantID, c.ID)
		})
		return ownedBy(x, c, t.Tenant, t.ClientID)
	}
	s := p.refresh.signature(ctx, token)
	if s == "" {
		return store.ErrNotFound
	}
	t, err := store.GetRefreshToken(ctx, p.store, rowKey(s))
	if err != nil {
		return x.failed(err)
	}
	x.revoked("refresh_token", t.GrantID, t.ClientID, t.Standing)
	x.add(func(ctx context.Context, tx *store.Tx) error { return tx.RevokeGrant(ctx, t.Tenant, t.GrantID, c.ID) })
	return ownedBy(x, c, t.Tenant, t.ClientID)
}

func (x *exchange) revoked(kind, grant, client string, of store.Standing) {
	x.event = x.about(RevokedByApp, grant, client, of.SubjectType, of.Subject)
	x.event.Type = kind
}

// ownedBy refuses another client's token (RFC 7009 §2.1); another tenant's is
// unknown here.
func ownedBy(x *exchange, c *client, tenant, owner string) error {
	switch {
	case tenant != x.tenant.ID:
		return store.ErrNotFound
	case owner != c.ID:
		return refuse("unauthorized_client").saying("This token was issued to another client.")
	}
	return nil
}
