package oauth2

import (
	"context"
	"net/http"
	"slices"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"github.com/pointgate/pointgate/store"
)

// Answer is a successful answer of the token endpoint (RFC 6749 §5.1).
type Answer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"` // Bearer or DPoP
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	// IssuedTokenType is of an exchange (RFC 8693 §2.2.1).
	IssuedTokenType string `json:"issued_token_type,omitempty"`
	IDToken         string `json:"id_token,omitempty"` // OpenID Connect Core §3.1.3.3
}

// Token prepares the answer to a token request: a code (RFC 6749 §4.1.3), a
// refresh token (§6), client credentials (§4.4), a device code (RFC 8628 §3.4) or
// an exchange (RFC 8693 §2.1). What is refused for good, as a
// code that is used again, has had its consequences when it returns. Its errors
// are *[Error].
func (p *Provider) Token(ctx context.Context, r *Request) (*Prepared[*Answer], error) {
	ctx, x := p.receive(ctx, r)
	defer r.note(x)
	if err := checkTokenRequest(r); err != nil {
		return nil, errorOf(err)
	}
	form := pick(r.Form, "grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type",
		"code", "redirect_uri", "code_verifier", "refresh_token", "scope", "device_code",
		"subject_token")
	form.Set("audience", r.Tenant.Resource())
	req, err := p.fosite.NewAccessRequest(ctx, httpRequest(http.MethodPost, form, r.Authorization), session{})
	if err != nil {
		return nil, x.end(err)
	}
	if x.fault != nil {
		return nil, unavailable(x.fault)
	}
	if x.code != nil && !sameAudience(x.request.Form.Get("resource"), x.code.Audience) {
		return nil, refuse("invalid_target")
	}
	p.readySigner(ctx, x)
	resp, err := p.fosite.NewAccessResponse(ctx, req)
	if err != nil {
		return nil, x.end(err)
	}
	x.spendProof()
	if x.act.Action != "" { // a refresh: what it gets is known inside of the write
		return &Prepared[*Answer]{x.act, x, func() *Answer {
			if x.replayed {
				p.replayed()
			}
			return x.replay
		}}, nil
	}
	refresh, _ := resp.GetExtra("refresh_token").(string)
	act := x.issue()
	answer, err := x.answer(resp.GetAccessToken(), refresh, x.access)
	if err != nil {
		return nil, x.end(err)
	}
	return &Prepared[*Answer]{act, x, func() *Answer { return answer }}, nil
}

// issue is the act of giving the first tokens of a grant.
func (x *exchange) issue() Act {
	grantType, standing := "client_credentials", store.Standing{SubjectType: "client", Subject: x.client.ID}
	if x.code != nil {
		grantType, standing = "authorization_code", x.code.Standing
	}
	a := x.actOn("token.issue", Object{Type: "grant", ID: x.access.GrantID, Owner: standing.Subject}, standing, x.access.Scopes)
	a.Facts = x.facts(grantType, x.access.Audience)
	return a
}

// checkTokenRequest is what fosite lets pass, or names wrongly.
func checkTokenRequest(r *Request) error {
	if err := single(r.Form); err != nil {
		return err
	}
	needed := map[string]string{
		"authorization_code": "code", "refresh_token": "refresh_token", "client_credentials": "grant_type", DeviceGrant: "device_code",
		ExchangeGrant: "subject_token",
	}
	switch parameter, known := needed[r.Form.Get("grant_type")]; {
	case r.Form.Get("grant_type") == "":
		return refuse("invalid_request").saying("The grant_type is missing.")
	case !known:
		return refuse("unsupported_grant_type")
	case r.Form.Get(parameter) == "":
		return refuse("invalid_request").saying("The code, refresh_token, device_code or subject_token is missing.")
	}
	return checkScope(r.Form)
}

// clientCredentials is fosite's handler with the refusals that the RFC wants,
// and the scopes that fosite would not grant.
type clientCredentials struct {
	*oauth2.ClientCredentialsGrantHandler
	p *Provider
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler. No scope
// asked for means all that the client may have for itself.
func (h *clientCredentials) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	x := exchangeOf(ctx)
	if x.client.Public || !x.client.GrantTypes.Has("client_credentials") {
		return refuse("unauthorized_client")
	}
	to, err := h.p.audience(ctx, x, x.client, x.request.Form.Get("resource"))
	if err != nil {
		return err
	}
	own := keep(holdable("client", x.client.Scopes), to.allows)
	if len(r.GetRequestedScopes()) == 0 {
		r.SetRequestedScopes(own)
	}
	if len(own) == 0 || slices.ContainsFunc(r.GetRequestedScopes(), func(s string) bool { return !slices.Contains(own, s) }) {
		return refuse("invalid_scope")
	}
	if err := h.ClientCredentialsGrantHandler.HandleTokenEndpointRequest(ctx, r); err != nil {
		return err
	}
	for _, s := range r.GetRequestedScopes() {
		r.GrantScope(s)
	}
	r.GrantAudience(to.uri)
	r.SetID(newID("grt_"))
	x.add(to.stillThere(x))
	x.ownGrant(r)
	return nil
}

// ownGrant adds the grant that a client takes for itself: it lives as long as
// its token, and can be revoked like any other.
func (x *exchange) ownGrant(r fosite.AccessRequester) {
	g := &store.Grant{
		ID: r.GetID(), Tenant: x.tenant.ID, ClientID: x.client.ID, SubjectType: "client", Subject: x.client.ID,
		Scopes: store.Words(r.GetGrantedScopes()), Audience: store.Words(r.GetGrantedAudience()), CreatedAt: store.At(x.now), ExpiresAt: store.At(x.now.Add(AccessLifetime)),
	}
	x.granted.id, x.granted.ends = g.ID, g.ExpiresAt.Time
	x.add(func(ctx context.Context, tx *store.Tx) error { return tx.InsertGrant(ctx, g) })
}
