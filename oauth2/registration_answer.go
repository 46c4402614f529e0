package oauth2

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Registered is the answer of RFC 7591 §3.2.1, with what the client is now
// registered as.
type Registered struct {
	ClientID        string          `json:"client_id"`
	IssuedAt        int64           `json:"client_id_issued_at"` // seconds since 1970
	Secret          string          `json:"client_secret,omitempty"`
	SecretExpiresAt *int64          `json:"client_secret_expires_at,omitempty"` // 0: never; there with a secret
	Manage          string          `json:"registration_access_token"`
	ManageURI       string          `json:"registration_client_uri"`
	Name            string          `json:"client_name"`
	Homepage        string          `json:"client_uri,omitempty"`
	RedirectURIs    []string        `json:"redirect_uris"`
	GrantTypes      []string        `json:"grant_types"`
	ResponseTypes   []string        `json:"response_types"`
	Scope           string          `json:"scope"`
	AuthMethod      string          `json:"token_endpoint_auth_method"`
	JWKS            json.RawMessage `json:"jwks,omitempty"`
	JWKSURI         string          `json:"jwks_uri,omitempty"`
	LogoutURIs      []string        `json:"post_logout_redirect_uris,omitempty"`
	BackchannelURI  string          `json:"backchannel_logout_uri,omitempty"`
	RequirePAR      bool            `json:"require_pushed_authorization_requests,omitempty"`
	BoundTokens     bool            `json:"dpop_bound_access_tokens,omitempty"`
}

func (p *Provider) registered(t *store.Tenant, c *store.Client) *Registered {
	return &Registered{
		ClientID: c.ID, IssuedAt: c.CreatedAt.Unix(), ManageURI: t.Issuer + "/oauth2/register/" + c.ID,
		Name: c.Name, Homepage: c.Homepage, RedirectURIs: c.RedirectURIs, GrantTypes: c.GrantTypes, ResponseTypes: []string{"code"},
		Scope: strings.Join(c.Scopes, " "), AuthMethod: c.AuthMethod, JWKS: json.RawMessage(c.JWKS), JWKSURI: c.JWKSURI,
		LogoutURIs: c.LogoutURIs, BackchannelURI: c.BackchannelURI, RequirePAR: c.RequirePAR, BoundTokens: c.Bound == "dpop",
	}
}

// renew gives the client another registration access token, and a secret if it
// is to have one; both are in the answer, this once.
func (a *Registered) renew(c *store.Client, secret bool, now time.Time) *store.ClientSecret {
	a.Manage = newSecret(managePrefix)
	c.RegistrationHash = HashSecret(a.Manage)
	if !secret {
		return nil
	}
	a.Secret, a.SecretExpiresAt = NewSecret(), new(int64)
	return &store.ClientSecret{ID: newID("sec_"), Tenant: c.Tenant, ClientID: c.ID, Hash: HashSecret(a.Secret), CreatedAt: store.At(now)}
}
