package oauth2

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/pointgate/pointgate/store"
)

// harmlessState is what fosite sees as state: it insists on one of some length,
// which the RFC does not, and the client's own goes back from the Flow.
const harmlessState = "x"

// Authorize checks an authorization request, all of it, before anyone is asked
// to log in or to consent. form is the query or body, in which parameters may
// stand twice; one that was pushed is used up. A nil error is a Flow for
// [Provider.Seal]; any other is an *[Error].
func (p *Provider) Authorize(ctx context.Context, t *store.Tenant, form url.Values) (*Flow, error) {
	ctx, x := p.begin(ctx, t)
	form, err := p.pulled(ctx, x, form)
	if err != nil {
		return nil, x.end(err)
	}
	return p.flow(ctx, x, form)
}

// flow checks the request, wherever it came from.
func (p *Provider) flow(ctx context.Context, x *exchange, form url.Values) (*Flow, error) {
	f, err := p.destination(ctx, x, form)
	if err != nil {
		return nil, x.end(err)
	}
	if len(form["state"]) == 1 {
		f.State = form.Get("state")
	}
	if err := precheck(x, form); err != nil {
		return nil, f.refuse(errorOf(err))
	}
	if err := f.demands(form.Get, x.now); err != nil {
		return nil, f.refuse(errorOf(err))
	}
	if hint := p.idToken(x.tenant, form.Get("id_token_hint")); f.Silent && hint.Audience == f.ClientID {
		f.Subject = hint.Subject
	}
	to, err := p.audience(ctx, x, x.client, form.Get("resource"))
	if err != nil {
		return nil, f.refuse(errorOf(x.end(err)))
	}
	cleaned := pick(form, "response_type", "client_id", "redirect_uri", "scope", "code_challenge", "code_challenge_method")
	cleaned.Set("state", harmlessState)
	cleaned.Set("audience", to.uri)
	x.client.audience = to.uri
	if cleaned.Get("scope") == "" { // of a resource, all is asked for that it has
		cleaned.Set("scope", strings.Join(keep(x.client.Scopes, within(to.scopes)), " "))
	}
	ar, err := p.fosite.NewAuthorizeRequest(ctx, httpRequest(http.MethodGet, cleaned, ""))
	if err != nil {
		return nil, f.refuse(errorOf(x.end(err)))
	}
	f.Key = form.Get("dpop_jkt")
	f.Nonce = form.Get("nonce")
	f.Challenge, f.Resource, f.ResourceName, f.Scopes = form.Get("code_challenge"), to.uri, to.name, ar.GetRequestedScopes()
	if !x.client.GrantTypes.Has("refresh_token") {
		f.Scopes = keep(f.Scopes, func(s string) bool { return s != offline })
	}
	if !useful(f.Scopes) || len(keep(f.Scopes, to.allows)) < len(f.Scopes) {
		return nil, f.refuse(refuse("invalid_scope"))
	}
	return f, nil
}

// destination finds client and address. Until both are sure, nothing may be
// sent anywhere, so its errors are shown as pages.
func (p *Provider) destination(ctx context.Context, x *exchange, form url.Values) (*Flow, error) {
	if len(form["client_id"]) != 1 || len(form["redirect_uri"]) > 1 {
		return nil, refuse("invalid_request").saying("client_id is needed once, redirect_uri at most once.")
	}
	c, err := p.client(ctx, x, form.Get("client_id"))
	if errors.Is(err, store.ErrNotFound) || err == nil && c.RegisteredBy == "document" && !p.documented(x.tenant) {
		return nil, refuse("invalid_client").saying("This application is not known here.")
	}
	if err != nil {
		return nil, err
	}
	u, err := c.target(ctx, form.Get("redirect_uri"))
	if err != nil {
		return nil, refuse("invalid_request").saying("The redirect_uri is not registered for this application.").because(err)
	}
	x.client = c
	host := u.Host
	if host == "" {
		host = u.Scheme
	}
	at := ""
	if c.RegisteredBy == "document" {
		if u, err := url.Parse(c.ID); err == nil {
			at = u.Host
		}
	}
	return &Flow{
		ClientHost: at, ID: newID("flw_"), Tenant: x.tenant.ID, Issuer: x.tenant.Issuer, ClientID: c.ID, ClientName: c.Name,
		RedirectURI: u.String(), RedirectHost: host, RedirectSent: form.Get("redirect_uri") != "",
	}, nil
}

// precheck is what fosite would find too late, after consent, or not at all.
func precheck(x *exchange, form url.Values) error {
	if err := single(form); err != nil {
		return err
	}
	switch kind := form.Get("response_type"); {
	case form.Get("request") != "":
		return refuse("request_not_supported")
	case form.Get("request_uri") != "":
		return refuse("request_uri_not_supported")
	case x.client.RequirePAR && !x.pushed:
		return refuse("invalid_request").saying("This client must push its requests (RFC 9126).")
	case form.Get("registration") != "":
		return refuse("registration_not_supported")
	case kind == "":
		return refuse("invalid_request").saying("The response_type is missing.")
	case kind != "code":
		return refuse("unsupported_response_type")
	case !x.client.GrantTypes.Has("authorization_code"):
		return refuse("unauthorized_client")
	case form.Get("response_mode") != "" && form.Get("response_mode") != "query":
		return refuse("invalid_request").saying("The response_mode must be query.")
	case len(form.Get("nonce")) > maxNonce:
		return refuse("invalid_request").saying("The nonce is too long: 512 bytes are enough.")
	case form.Get("code_challenge_method") != "S256" || !is256(form.Get("code_challenge")):
		return refuse("invalid_request").saying("A code_challenge of 43 characters with code_challenge_method=S256 is needed (RFC 7636).")
	case form.Has("dpop_jkt") && !is256(form.Get("dpop_jkt")):
		return refuse("invalid_request").saying("The dpop_jkt must be the SHA-256 thumbprint of a key: 43 characters (RFC 9449).")
	}
	return checkScope(form)
}
