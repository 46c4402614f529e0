package oauth2

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

// Person is who consents, as the session knows them.
type Person struct {
	ID       string
	Type     string // customer or staff
	Roles    []string
	AuthTime time.Time
	AMR      []string
	Session  string // the public id of the session that they are signed in with
}

// Ticked are those of the flow's scopes that a person of this type gives by
// ticking these; none, where they are of no use to a client: that is a denial.
func (f *Flow) Ticked(personType string, ticked []string) []string {
	return given(personType, f.Scopes, ticked)
}

// given are those of the asked scopes that were ticked and may be given; none,
// where they are of no use.
func given(personType string, asked, ticked []string) []string {
	granted := holdable(personType, keep(asked, within(ticked)))
	if !useful(granted) {
		return nil
	}
	return granted
}

// Approve prepares a grant of these scopes, which are of [Flow.Ticked]; what it
// comes to is where the browser takes the code. A flow is answered once: the
// second time is an *[Error] to be shown. It is remembered, so that the person
// is not asked for the same again: see [Provider.ApproveAgain].
func (p *Provider) Approve(ctx context.Context, f *Flow, who Person, granted []string) (*Prepared[string], error) {
	a, err := p.approve(ctx, f, who, granted)
	if err != nil {
		return nil, err
	}
	a.Facts["remembered"] = false
	a.x.remember(f, who, granted)
	return a, nil
}

func (p *Provider) approve(ctx context.Context, f *Flow, who Person, granted []string) (*Prepared[string], error) {
	ctx, x := p.begin(ctx, &store.Tenant{ID: f.Tenant, Issuer: f.Issuer})
	ar, to, err := p.authorizeRequest(ctx, x, f, granted)
	if err != nil {
		return nil, x.end(err)
	}
	answer, err := p.fosite.NewAuthorizeResponse(ctx, ar, session{})
	if err != nil {
		return nil, x.end(err)
	}
	x.client, x.code.Flow = ar.Client.(*client), f.ID
	if f.Key != "" {
		x.code.Cnf = dpopPrefix + f.Key
	}
	x.code.Nonce = f.Nonce
	x.grant = newGrant(x, ar.GetID(), who, granted, x.code.Audience)
	x.add(func(ctx context.Context, tx *store.Tx) error { return enabled(ctx, tx, x.grant) })
	x.add(to.stillThere(x))
	x.add(func(ctx context.Context, tx *store.Tx) error { return tx.InsertGrant(ctx, x.grant) })
	x.add(func(ctx context.Context, tx *store.Tx) error { return once(tx.InsertCode(ctx, x.code)) })
	redirect := f.answer(url.Values{"code": {answer.GetParameters().Get("code")}})
	return &Prepared[string]{x.consent(who, f.Scopes, "authorization_code", f.Resource), x, func() string { return redirect }}, nil
}

// consent is the act of making the exchange's grant.
func (x *exchange) consent(who Person, asked []string, grantType, audience string) Act {
	g := x.grant
	a := Act{
		Action: "consent.grant", Client: x.client.Client, Method: "session", SubjectType: who.Type, Subject: who.ID, Roles: who.Roles,
		Scopes: g.Scopes, AuthTime: who.AuthTime, AMR: who.AMR, GrantID: g.ID,
		Object: Object{Type: "grant", ID: g.ID, Owner: who.ID}, Facts: x.facts(grantType, audience),
	}
	a.Facts["asked_scopes"] = asked
	return a
}

// Deny records a person's no, and returns where the browser takes it.
func (p *Provider) Deny(ctx context.Context, f *Flow, who Person) (redirect string, err error) {
	ctx, x := p.begin(ctx, &store.Tenant{ID: f.Tenant, Issuer: f.Issuer})
	x.event = x.about(Denied, "", f.ClientID, who.Type, who.ID)
	x.event.Asked = f.Scopes
	if err := p.commit(ctx, x); err != nil {
		return "", x.end(err)
	}
	return f.refuse(refuse("access_denied")).Redirect, nil
}

// authorizeRequest builds fosite's request anew from the flow: since it was
// checked, the client may have lost its address, or been disabled, and what the
// tokens are for too.
func (p *Provider) authorizeRequest(ctx context.Context, x *exchange, f *Flow, granted []string) (*fosite.AuthorizeRequest, *audience, error) {
	c, err := p.client(ctx, x, f.ClientID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, refuse("invalid_client").saying("This application is not known here any more.")
	}
	if err != nil {
		return nil, nil, err
	}
	u, err := c.target(ctx, f.RedirectURI)
	if err != nil {
		return nil, nil, refuse("invalid_request").saying("The redirect_uri is not registered for this application any more.")
	}
	to, err := p.audience(ctx, x, c, f.Resource)
	if err != nil {
		return nil, nil, f.refuse(errorOf(x.end(err)))
	}
	c.audience = to.uri
	ar := fosite.NewAuthorizeRequest()
	ar.SetID(newID("grt_"))
	ar.Client, ar.RedirectURI, ar.ResponseTypes, ar.State = c, u, fosite.Arguments{"code"}, harmlessState
	ar.Form = url.Values{"code_challenge": {f.Challenge}, "code_challenge_method": {"S256"}}
	if f.RedirectSent {
		ar.Form.Set("redirect_uri", f.RedirectURI)
	}
	ar.SetRequestedScopes(f.Scopes)
	ar.GrantedScope = granted
	ar.SetRequestedAudience(fosite.Arguments{f.Resource})
	ar.GrantAudience(f.Resource)
	return ar, to, nil
}

// lifetime is what a client was registered with, in seconds, or else the usual.
func lifetime(seconds int64, usual time.Duration) time.Duration {
	return cmp.Or(time.Duration(seconds)*time.Second, usual)
}

// newGrant: without a refresh token, a grant ends with the one access token
// that its code can get.
func newGrant(x *exchange, id string, who Person, scopes []string, audience string) *store.Grant {
	life := CodeLifetime + AccessLifetime
	if within(scopes)(offline) {
		life = lifetime(x.client.RefreshMost, GrantLifetime)
	}
	return &store.Grant{
		ID: id, Tenant: x.tenant.ID, ClientID: x.client.ID, SubjectType: who.Type, Subject: who.ID, Scopes: scopes,
		Audience: store.Words{audience}, SessionID: who.Session, AuthTime: store.At(who.AuthTime), AMR: who.AMR, CreatedAt: store.At(x.now), ExpiresAt: store.At(x.now.Add(life)),
	}
}

// enabled looks once more, inside the write, at the person: the session was
// read before it.
func enabled(ctx context.Context, tx *store.Tx, g *store.Grant) error {
	u, err := store.GetUser(ctx, tx, g.Tenant, g.Subject)
	if errors.Is(err, store.ErrNotFound) || err == nil && (u.Type != g.SubjectType || !u.DisabledAt.IsZero()) {
		return refuse("access_denied")
	}
	return err
}

// once makes a refusal of a flow that has its code already.
func once(err error) error {
	if errors.Is(err, store.ErrExists) {
		return refuse("invalid_request").saying("This request was answered before.").because(err)
	}
	return err
}
