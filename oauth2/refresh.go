package oauth2

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

// refreshToken is the handler of the refresh grant (RFC 6749 §6), in place of
// fosite's, which ignores the scope, rotates by grant instead of by token, has
// no grace, and names its refusals wrongly.
type refreshToken struct{ p *Provider }

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (*refreshToken) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*refreshToken) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne("refresh_token")
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler: what can be
// refused without the database.
func (h *refreshToken) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !exchangeOf(ctx).client.GrantTypes.Has("refresh_token") {
		return refuse("unauthorized_client")
	}
	return genuine(h.p.refresh.signature(ctx, r.GetRequestForm().Get("refresh_token")))
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler. A look at
// the token tells the policy what it is about; what is done with it is decided
// by a second look in the write, so there is nothing to race with.
func (h *refreshToken) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	x := exchangeOf(ctx)
	next, err := h.mint(ctx, r)
	if err != nil {
		return err
	}
	t, err := store.GetRefreshToken(ctx, h.p.store, next.hash)
	if errors.Is(err, store.ErrNotFound) {
		return refuse("invalid_grant")
	}
	if err != nil {
		return x.failed(err)
	}
	if ok, err := h.p.refreshable(ctx, x, t, next.presented); err != nil {
		return x.failed(err)
	} else if !ok {
		return h.p.refuseRefresh(ctx, x, next)
	}
	if next.to, err = h.p.audience(ctx, x, x.client, t.Audience); err != nil {
		return refuse("invalid_grant").saying("What the token is for is not open to this client any more.").because(err)
	}
	if !sameAudience(x.request.Form.Get("resource"), t.Audience) {
		return refuse("invalid_target")
	}
	scopes, err := narrow(next.wanted, next.to.within(t.Scopes, x.client))
	if err != nil {
		return err
	}
	if a, err := h.p.openAnswer(t, next.presented, x.cnf); err == nil { // it was used: what it gets is what it got
		scopes = strings.Fields(a.Scope)
	}
	x.act = x.actOn("token.refresh", Object{Type: "grant", ID: t.GrantID, Owner: t.Subject}, t.Standing, scopes)
	x.act.Facts = x.facts("refresh_token", t.Audience)
	x.act.Facts["replay"] = !t.UsedAt.IsZero()
	x.add(func(ctx context.Context, tx *store.Tx) error {
		x.replay, err = h.p.refreshWith(ctx, tx, x, next)
		return err
	})
	resp.SetAccessToken("minted") // fosite wants one; the answer is made in the write
	resp.SetTokenType("Bearer")
	return nil
}

// refreshable reports whether the token may still get an answer, as far as one
// look tells.
func (p *Provider) refreshable(ctx context.Context, x *exchange, t *store.RefreshToken, presented string) (bool, error) {
	good := t.Tenant == x.tenant.ID && t.ClientID == x.client.ID && t.Live && x.now.Before(t.GrantEndsAt.Time) &&
		(t.Cnf == "" || t.Cnf == x.cnf)
	if t.UsedAt.IsZero() {
		return good && x.now.Before(t.ExpiresAt.Time), nil
	}
	if _, err := p.openAnswer(t, presented, x.cnf); !good || err != nil || !x.now.Before(t.GraceEndsAt.Time) {
		return false, nil
	}
	next, err := store.GetRefreshToken(ctx, p.store, t.NextHash)
	return err == nil && next.UsedAt.IsZero(), err
}

// refuseRefresh does what a bad token deserves, in a write of its own: nobody
// has to be asked for that. It never gives anything.
func (p *Provider) refuseRefresh(ctx context.Context, x *exchange, n *rotation) error {
	x.add(func(ctx context.Context, tx *store.Tx) error {
		if _, err := p.refreshWith(ctx, tx, x, n); err != nil {
			return err
		}
		return refuse("invalid_grant")
	})
	if err := p.commit(ctx, x); err != nil {
		return err
	}
	return refuse("invalid_grant")
}

// rotation is a refresh request with the tokens that it would get.
type rotation struct {
	presented string
	hash      []byte
	wanted    []string
	to        *audience // nil where nothing is given
	*minted
}

// mint makes the successors outside of the write, which must be short.
func (h *refreshToken) mint(ctx context.Context, r fosite.AccessRequester) (*rotation, error) {
	presented := r.GetRequestForm().Get("refresh_token")
	n := &rotation{presented: presented, hash: rowKey(h.p.refresh.signature(ctx, presented)), wanted: r.GetRequestedScopes()}
	var err error
	n.minted, err = h.p.mintTokens(ctx)
	return n, err
}

// refreshWith decides about the presented token inside of the write: new
// tokens, the ones that it already got, or the end of the grant.
func (p *Provider) refreshWith(ctx context.Context, tx *store.Tx, x *exchange, n *rotation) (*Answer, error) {
	t, err := store.GetRefreshToken(ctx, tx, n.hash)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse("invalid_grant")
	}
	switch {
	case err != nil:
		return nil, err
	case t.Tenant != x.tenant.ID:
		return nil, refuse("invalid_grant")
	case t.ClientID != x.client.ID && !t.UsedAt.IsZero():
		return nil, x.refreshReused(ctx, tx, t) // it has it from somewhere that the token leaked to
	case t.ClientID != x.client.ID:
		return nil, refuse("invalid_grant").saying("The refresh token is not for this client.")
	case !t.Live || !x.now.Before(t.GrantEndsAt.Time):
		return nil, refuse("invalid_grant")
	case !t.UsedAt.IsZero():
		return p.again(ctx, tx, x, n, t)
	case t.Cnf != "" && t.Cnf != x.cnf:
		return nil, refuse("invalid_grant").saying("The refresh token is bound to another key.")
	case !x.now.Before(t.ExpiresAt.Time):
		return nil, refuse("invalid_grant")
	}
	return p.rotate(ctx, tx, x, n, t)
}

// rotate replaces the token. Its successor may ask for the whole grant again,
// even if this access token has fewer scopes.
func (p *Provider) rotate(ctx context.Context, tx *store.Tx, x *exchange, n *rotation, t *store.RefreshToken) (*Answer, error) {
	if n.to == nil { // it looked worse before the write
		return nil, refuse("invalid_grant")
	}
	scopes, err := narrow(n.wanted, n.to.within(t.Scopes, x.client))
	if err != nil {
		return nil, err
	}
	x.granted.id, x.granted.ends = t.GrantID, t.GrantEndsAt.Time
	access := x.newAccess(n.accessSignature, scopes, t.Audience)
	next := x.newRefresh(n.refreshSignature, t.Scopes, t.Audience)
	x.standing = t.Standing
	a, err := x.answer(n.access, n.refresh, access)
	if err != nil {
		return nil, err
	}
	t.UsedAt, t.NextHash = store.At(x.now), next.Hash
	if grace := time.Duration(x.client.RefreshGrace) * time.Second; grace > 0 {
		t.GraceEndsAt = store.At(x.now.Add(grace))
		if t.Successor, err = p.sealAnswer(a, n.presented, t, x.cnf); err != nil {
			return nil, err
		}
	}
	used, err := tx.UseRefreshToken(ctx, t)
	if err == nil && !used {
		err = refuse("invalid_grant")
	}
	if err != nil {
		return nil, err
	}
	return a, errors.Join(tx.InsertAccessToken(ctx, access), tx.InsertRefreshToken(ctx, next), x.touch(ctx, tx, t.GrantID, t.LastUsedAt))
}

// touch notes that the grant is in use, in the write that gives something for
// it, at most once a minute.
func (x *exchange) touch(ctx context.Context, tx *store.Tx, grant string, last store.Time) error {
	before := store.At(x.now.Add(-time.Minute))
	if last.After(before.Time) {
		return nil
	}
	return tx.TouchGrant(ctx, grant, x.request.IP, before, store.At(x.now))
}

// narrow: a client may ask for fewer scopes than were granted, never for more.
func narrow(wanted, granted []string) ([]string, error) {
	if len(wanted) == 0 {
		wanted = granted
	}
	if len(granted) == 0 || slices.ContainsFunc(wanted, func(s string) bool { return !slices.Contains(granted, s) }) {
		return nil, refuse("invalid_scope")
	}
	return wanted, nil
}

// again is a used token. Within the grace of its client, and until the
// successor is used, it is taken for a retry after a lost answer and gets the
// very same answer, so there is never a second chain. It must show the same key,
// too: the answer opens with no other. Otherwise the token or
// its successor is in wrong hands, and nobody can tell which.
func (p *Provider) again(ctx context.Context, tx *store.Tx, x *exchange, n *rotation, t *store.RefreshToken) (*Answer, error) {
	if len(t.Successor) > 0 && x.now.Before(t.GraceEndsAt.Time) {
		next, err := store.GetRefreshToken(ctx, tx, t.NextHash)
		if err != nil {
			return nil, err
		}
		if a, err := p.openAnswer(t, n.presented, x.cnf); err == nil && next.UsedAt.IsZero() {
			x.replayed = true
			return a, nil
		}
	}
	return nil, x.refreshReused(ctx, tx, t)
}

func (x *exchange) refreshReused(ctx context.Context, tx *store.Tx, t *store.RefreshToken) error {
	return x.reused(ctx, tx, t.Standing, "refresh_token", t.GrantID, t.ClientID)
}

// successorSealer needs both the server's key and the token itself: neither a
// stolen database nor a stolen key file is enough to read an answer at rest.
func (p *Provider) successorSealer(presented string) sealer {
	return sealer{key: derive([]byte(presented), p.sealKey, "pointgate refresh successor")}
}

// sealAnswer seals for who shows the same key again: with another, or with none,
// the answer does not open.
func (p *Provider) sealAnswer(a *Answer, presented string, t *store.RefreshToken, cnf string) ([]byte, error) {
	plain, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return p.successorSealer(presented).seal(plain, t.Tenant, t.ClientID, hex.EncodeToString(t.Hash), cnf), nil
}

func (p *Provider) openAnswer(t *store.RefreshToken, presented, cnf string) (*Answer, error) {
	plain, err := p.successorSealer(presented).open(t.Successor, t.Tenant, t.ClientID, hex.EncodeToString(t.Hash), cnf)
	if err != nil {
		return nil, err
	}
	a := new(Answer)
	return a, json.Unmarshal(plain, a)
}
