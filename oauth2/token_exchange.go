package oauth2

import (
	"cmp"
	"context"
	"errors"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

const (
	// ExchangeGrant is the grant type of token exchange (RFC 8693 §2.1).
	ExchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"

	accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
)

// tokenExchange is the handler of token exchange (RFC 8693): a confidential
// client that was sent a person's token gets one of its own, to act for this
// person towards another service. What it gets is never more and never longer
// than what it shows, and ends with it.
type tokenExchange struct{ p *Provider }

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (*tokenExchange) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (*tokenExchange) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(ExchangeGrant)
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler: what can be
// refused without the database.
func (h *tokenExchange) HandleTokenEndpointRequest(ctx context.Context, _ fosite.AccessRequester) error {
	c, form := exchangeOf(ctx).client, exchangeOf(ctx).request.Form
	if c.Public || !c.GrantTypes.Has(ExchangeGrant) {
		return refuse("unauthorized_client")
	}
	if form.Get("subject_token_type") != accessTokenType {
		return badExchange("The subject_token_type must be urn:ietf:params:oauth:token-type:access_token: other tokens are not exchanged here.")
	}
	if t := form.Get("requested_token_type"); t != "" && t != accessTokenType {
		return badExchange("The requested_token_type must be urn:ietf:params:oauth:token-type:access_token: other tokens are not issued for one.")
	}
	if (form.Get("actor_token") == "") != (form.Get("actor_token_type") == "") {
		return badExchange("An actor_token and its actor_token_type go together.")
	}
	if t := form.Get("actor_token_type"); t != "" && t != accessTokenType {
		return badExchange("The actor_token_type must be urn:ietf:params:oauth:token-type:access_token.")
	}
	return nil
}

// badExchange is invalid_request, which RFC 8693 §2.2.2 wants of all that is
// wrong with a request or its tokens.
func badExchange(text string) *Error { return refuse("invalid_request").saying(text) }

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler. A first
// look tells the policy what the exchange is about; the write looks again, so no
// token is born of one that was revoked meanwhile.
func (h *tokenExchange) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	x, p := exchangeOf(ctx), h.p
	form := x.request.Form
	subject, err := p.subjectToken(ctx, p.store, x, form.Get("subject_token"))
	if err != nil {
		return err
	}
	if err := p.checkActorToken(ctx, x, form.Get("actor_token")); err != nil {
		return err
	}
	to, err := p.target(ctx, x)
	if err != nil {
		return err
	}
	own := keep(subject.Scopes, within(subject.ClientScopes))
	scopes, err := narrow(r.GetRequestedScopes(), delegable(to.within(own, x.client)))
	if err != nil {
		return err
	}
	n, err := p.mintTokens(ctx)
	if err != nil {
		return err
	}
	if err := x.delegate(subject, scopes, to.uri); err != nil {
		return err
	}
	x.act.Facts["subject_scopes"] = own
	x.access = x.newAccess(n.accessSignature, scopes, to.uri)
	if x.replay, err = x.answer(n.access, "", x.access); err != nil {
		return err
	}
	x.replay.IssuedTokenType = accessTokenType
	x.add(to.stillThere(x))
	x.add(func(ctx context.Context, tx *store.Tx) error {
		if _, err := p.subjectToken(ctx, tx, x, form.Get("subject_token")); err != nil {
			return err
		}
		return errors.Join(tx.InsertGrant(ctx, x.grant), tx.InsertAccessToken(ctx, x.access))
	})
	resp.SetAccessToken(n.access)
	resp.SetTokenType("Bearer")
	return nil
}

// subjectToken finds the live token of a person that is shown. Everything else,
// another tenant's, a refresh token, junk, has one answer.
func (p *Provider) subjectToken(ctx context.Context, r store.Reader, x *exchange, token string) (*store.AccessToken, error) {
	t, err := p.liveToken(ctx, r, x, token)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, badExchange("The subject_token is not a live access token.")
	case err != nil:
		return nil, err
	case t.SubjectType == "client":
		return nil, badExchange("The subject_token is a client's own: there is nobody to act for.")
	}
	return t, nil
}

// checkActorToken: who acts is the client that asks; an actor token may say so
// once more, and nothing else.
func (p *Provider) checkActorToken(ctx context.Context, x *exchange, token string) error {
	if token == "" {
		return nil
	}
	t, err := p.liveToken(ctx, p.store, x, token)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (t.SubjectType != "client" || t.Subject != x.client.ID):
		return badExchange("The actor_token is not a live access token of the client's own.")
	}
	return err
}

// liveToken finds a valid access token of the tenant; store.ErrNotFound for all else.
func (p *Provider) liveToken(ctx context.Context, r store.Reader, x *exchange, token string) (*store.AccessToken, error) {
	t, err := p.findAccess(ctx, r, token)
	if err != nil {
		return nil, x.failed(err)
	}
	if t.Tenant != x.tenant.ID || p.status(t) != Valid {
		return nil, store.ErrNotFound
	}
	return t, nil
}

// target is the one service that the new token is for, by resource (RFC 8707) or
// audience, which mean the same here.
func (p *Provider) target(ctx context.Context, x *exchange) (*audience, error) {
	resource, audience := x.request.Form.Get("resource"), x.request.Form.Get("audience")
	if resource != "" && audience != "" && resource != audience {
		return nil, refuse("invalid_target").saying("A token is for one service: resource and audience differ.")
	}
	return p.audience(ctx, x, x.client, cmp.Or(resource, audience))
}

// delegable are the scopes that may be handed on: those of services. To know who
// somebody is, and to stay signed in, was given to the app that asked for it.
func delegable(scopes []string) []string {
	return keep(scopes, func(name string) bool {
		s, ours := ScopeNamed(name)
		return !ours || s.API
	})
}

// delegate prepares the grant of the client that acts for the subject of this
// token, and what the policy is asked about it.
func (x *exchange) delegate(t *store.AccessToken, scopes []string, audience string) error {
	claim, ok := acting(x.client.ID, t.Actor)
	if !ok {
		return badExchange("Too many services stand between the person and this one.")
	}
	ends := x.soonest(AccessLifetime, t.ExpiresAt.Time)
	x.grant = &store.Grant{
		ID: newID("grt_"), Tenant: x.tenant.ID, ClientID: x.client.ID, SubjectType: t.SubjectType, Subject: t.Subject, Scopes: scopes,
		Audience: store.Words{audience}, AuthTime: t.AuthTime, AMR: t.AMR, CreatedAt: store.At(x.now), ExpiresAt: ends,
		ParentID: t.GrantID, Actor: claim,
	}
	x.granted.id, x.granted.ends = x.grant.ID, ends.Time
	x.act = x.actOn("token.exchange", Object{Type: "grant", ID: x.grant.ID, Owner: t.Subject}, t.Standing, scopes)
	x.standing.Actor = claim
	x.act.Actor, x.act.Facts = x.client.ID, x.facts(ExchangeGrant, audience)
	x.act.Facts["subject_client"], x.act.Facts["subject_audience"], x.act.Facts["subject_grant"] = t.ClientID, t.Audience, t.GrantID
	x.act.Facts["own"], x.act.Facts["serves"], x.act.Facts["subject_bound"] = t.ClientID == x.client.ID, x.client.Introspects.Has(t.Audience), t.Cnf != ""
	return nil
}
