package oauth2

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"
	transaction "github.com/ory/fosite/storage"

	"github.com/pointgate/pointgate/store"
)

// storage is what fosite's handlers call. It reads at once and collects what is
// to be written in the exchange of the context.
type storage struct{ p *Provider }

// fosite finds some of these by type assertion: a missing method would be found
// by a customer, not by the compiler.
var (
	_ fosite.Storage                = storage{}
	_ oauth2.CoreStorage            = storage{}
	_ oauth2.TokenRevocationStorage = storage{}
	_ pkce.PKCERequestStorage       = storage{}
	_ transaction.Transactional     = storage{}
)

// errUnused is returned by methods that no handler of ours calls.
var errUnused = errors.New("oauth2: this part of fosite is not used")

// GetClient implements fosite.ClientManager. Everything that is wrong with the
// client reads as not found.
func (s storage) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	x := exchangeOf(ctx)
	if x.client != nil && x.client.ID == id {
		return x.client, nil
	}
	c, err := s.p.client(ctx, x, id)
	if err != nil {
		return nil, fosite.ErrNotFound.WithWrap(err)
	}
	return c, nil
}

// BeginTX implements storage.Transactional.
func (s storage) BeginTX(ctx context.Context) (context.Context, error) {
	exchangeOf(ctx).steps = nil
	return ctx, nil
}

// Commit implements storage.Transactional. Nothing is written yet: what was
// collected waits for the decision about it.
func (s storage) Commit(context.Context) error { return nil }

// Rollback implements storage.Transactional.
func (s storage) Rollback(ctx context.Context) error {
	exchangeOf(ctx).steps = nil
	return nil
}

// CreateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage. The row is
// written by Approve, once the PKCE handler has added the challenge.
func (s storage) CreateAuthorizeCodeSession(ctx context.Context, signature string, r fosite.Requester) error {
	x := exchangeOf(ctx)
	x.code = &store.Code{
		Hash: rowKey(signature), GrantID: r.GetID(), Tenant: x.tenant.ID, ClientID: r.GetClient().GetID(),
		RedirectURI:     r.GetRequestForm().Get("redirect_uri"),
		RequestedScopes: store.Words(r.GetRequestedScopes()), Scopes: store.Words(r.GetGrantedScopes()),
		Audience:  r.GetGrantedAudience()[0],
		CreatedAt: store.At(x.now), ExpiresAt: store.At(x.now.Add(CodeLifetime)),
	}
	return nil
}

// GetAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage. An empty
// signature is junk, for which the database is not asked.
func (s storage) GetAuthorizeCodeSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	x := exchangeOf(ctx)
	if signature == "" {
		return nil, fosite.ErrNotFound
	}
	if x.code == nil {
		c, err := store.GetCode(ctx, s.p.store, x.tenant.ID, rowKey(signature))
		if err != nil {
			return nil, fosite.ErrNotFound.WithWrap(x.failed(err))
		}
		x.code, x.granted.id, x.granted.ends = c, c.GrantID, c.GrantEndsAt.Time
	}
	switch c := x.code; {
	case !c.UsedAt.IsZero():
		return x.codeRequest(), fosite.ErrInvalidatedAuthorizeCode
	case !c.Live || !x.now.Before(c.ExpiresAt.Time):
		return nil, fosite.ErrNotFound
	case c.Cnf != "" && c.Cnf != x.cnf:
		return nil, refuse("invalid_grant").saying("The code is bound to another key (dpop_jkt).")
	}
	return x.codeRequest(), nil
}

// codeRequest is the authorization request as its code remembers it.
func (x *exchange) codeRequest() fosite.Requester {
	c := x.code
	var owner fosite.Client = &fosite.DefaultClient{ID: c.ClientID}
	if x.client != nil && x.client.ID == c.ClientID {
		owner = x.client
	}
	form := url.Values{"code_challenge": {c.Challenge}, "code_challenge_method": {"S256"}}
	if c.RedirectURI != "" {
		form.Set("redirect_uri", c.RedirectURI)
	}
	return &fosite.Request{
		ID: c.GrantID, RequestedAt: c.CreatedAt.Time, Client: owner, Form: form, Session: session{},
		RequestedScope: fosite.Arguments(c.RequestedScopes), GrantedScope: fosite.Arguments(c.Scopes),
		RequestedAudience: fosite.Arguments{c.Audience}, GrantedAudience: fosite.Arguments{c.Audience},
	}
}

// InvalidateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage: the
// first step of the write redeems the code, or finds that another was faster.
func (s storage) InvalidateAuthorizeCodeSession(ctx context.Context, _ string) error {
	x := exchangeOf(ctx)
	x.add(func(ctx context.Context, tx *store.Tx) error {
		used, err := tx.UseCode(ctx, x.code.Hash, store.At(x.now))
		if err != nil {
			return err
		}
		c, err := store.GetCode(ctx, tx, x.tenant.ID, x.code.Hash)
		switch {
		case err != nil:
			return err
		case used && c.Live:
			return x.touch(ctx, tx, c.GrantID, c.LastUsedAt)
		case used || c.UsedAt.IsZero():
			return refuse("invalid_grant")
		}
		return x.codeReused(ctx, tx, c)
	})
	return nil
}

// codeReused: it does not matter which client shows the code. A wrong one has
// it from somewhere that it leaked to.
func (x *exchange) codeReused(ctx context.Context, tx *store.Tx, c *store.Code) error {
	return x.reused(ctx, tx, c.Standing, "code", c.GrantID, c.ClientID)
}

// reused revokes the grant of a code or refresh token that is shown again, and
// refuses in a way that keeps the revocation.
func (x *exchange) reused(ctx context.Context, tx *store.Tx, was store.Standing, kind, grant, client string) error {
	if was.Live {
		if err := tx.RevokeGrant(ctx, x.tenant.ID, grant, kind+"_reuse"); err != nil {
			return err
		}
		e := x.about(ReuseDetected, grant, client, was.SubjectType, was.Subject)
		e.Type = kind
		if x.client != nil && x.client.ID != client {
			e.ShownBy = x.client.ID
		}
		x.record(tx, e)
	}
	return kept{refuse("invalid_grant").saying("This was used before; all that it gave has been revoked.")}
}

// RevokeAccessToken implements oauth2.TokenRevocationStorage. fosite calls it,
// outside of a transaction, when it reads a code that is used.
func (s storage) RevokeAccessToken(ctx context.Context, _ string) error {
	x := exchangeOf(ctx)
	x.add(func(ctx context.Context, tx *store.Tx) error {
		c, err := store.GetCode(ctx, tx, x.tenant.ID, x.code.Hash)
		if err != nil {
			return err
		}
		return x.codeReused(ctx, tx, c)
	})
	_ = s.p.commit(ctx, x) // a failure is in x.fault; the refusal is fosite's to say
	return nil
}

// RevokeRefreshToken implements oauth2.TokenRevocationStorage: the grant went
// with RevokeAccessToken, and all its tokens with it.
func (s storage) RevokeRefreshToken(context.Context, string) error { return nil }

// CreateAccessTokenSession implements oauth2.AccessTokenStorage.
func (s storage) CreateAccessTokenSession(ctx context.Context, signature string, r fosite.Requester) error {
	x := exchangeOf(ctx)
	x.access = x.newAccess(signature, store.Words(r.GetGrantedScopes()), r.GetGrantedAudience()[0])
	x.add(func(ctx context.Context, tx *store.Tx) error { return tx.InsertAccessToken(ctx, x.access) })
	return nil
}

func (x *exchange) newAccess(signature string, scopes store.Words, audience string) *store.AccessToken {
	return &store.AccessToken{
		Hash: rowKey(signature), GrantID: x.granted.id, Tenant: x.tenant.ID, ClientID: x.client.ID,
		Scopes: scopes, Audience: audience, CreatedAt: store.At(x.now), ExpiresAt: x.soonest(AccessLifetime, x.granted.ends),
		Cnf: x.cnf,
	}
}

// CreateRefreshTokenSession implements oauth2.RefreshTokenStorage.
func (s storage) CreateRefreshTokenSession(ctx context.Context, signature, _ string, r fosite.Requester) error {
	x := exchangeOf(ctx)
	t := x.newRefresh(signature, store.Words(r.GetGrantedScopes()), r.GetGrantedAudience()[0])
	x.add(func(ctx context.Context, tx *store.Tx) error { return tx.InsertRefreshToken(ctx, t) })
	return nil
}

func (x *exchange) newRefresh(signature string, scopes store.Words, audience string) *store.RefreshToken {
	return &store.RefreshToken{
		Hash: rowKey(signature), GrantID: x.granted.id, Tenant: x.tenant.ID, ClientID: x.client.ID,
		Scopes: scopes, Audience: audience, CreatedAt: store.At(x.now),
		ExpiresAt: x.soonest(lifetime(x.client.RefreshIdle, RefreshLifetime), x.granted.ends), KeptUntil: store.At(x.granted.ends),
		Cnf: x.refreshCnf(),
	}
}

// CreatePKCERequestSession implements pkce.PKCERequestStorage: the challenge is
// a column of the code, so the one can't be without the other.
func (s storage) CreatePKCERequestSession(ctx context.Context, _ string, r fosite.Requester) error {
	exchangeOf(ctx).code.Challenge = r.GetRequestForm().Get("code_challenge")
	return nil
}

// GetPKCERequestSession implements pkce.PKCERequestStorage.
func (s storage) GetPKCERequestSession(ctx context.Context, signature string, f fosite.Session) (fosite.Requester, error) {
	return s.GetAuthorizeCodeSession(ctx, signature, f)
}

// DeletePKCERequestSession implements pkce.PKCERequestStorage. fosite calls it
// before it compares: a wrong verifier would free the code of its challenge.
func (s storage) DeletePKCERequestSession(context.Context, string) error { return nil }

// The rest belongs to handlers that are not installed.

func (s storage) ClientAssertionJWTValid(context.Context, string) error          { return errUnused }
func (s storage) SetClientAssertionJWT(context.Context, string, time.Time) error { return errUnused }
func (s storage) DeleteAccessTokenSession(context.Context, string) error         { return errUnused }
func (s storage) DeleteRefreshTokenSession(context.Context, string) error        { return errUnused }
func (s storage) RotateRefreshToken(context.Context, string, string) error       { return errUnused }

func (s storage) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errUnused
}

func (s storage) GetRefreshTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errUnused
}

// session is fosite's notion of what a token remembers. Ours remember it in
// columns, and their ends are reckoned by the clock of the Provider.
type session struct{}

func (session) SetExpiresAt(fosite.TokenType, time.Time)       {}
func (session) GetExpiresAt(fosite.TokenType) (zero time.Time) { return zero }
func (session) GetUsername() string                            { return "" }
func (session) GetSubject() string                             { return "" }
func (session) Clone() fosite.Session                          { return session{} }
