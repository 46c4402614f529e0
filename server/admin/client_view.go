package admin

import (
	"encoding/json"
	"time"

	"github.com/pointgate/pointgate/store"
)

// clientView names what a client registered as RFC 7591, 8705, 9126 and 9449
// do, where they have a name.
type clientView struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Homepage     *string  `json:"homepage"`
	Public       bool     `json:"public"`
	Trusted      bool     `json:"trusted"`
	RedirectURIs []string `json:"redirect_uris"`
	GrantTypes   []string `json:"grant_types"`
	Scopes       []string `json:"scopes"`
	Resources    []string `json:"resources"`
	Origins      []string `json:"origins"`
	Introspects  []string `json:"introspects"`

	AuthMethod *string         `json:"token_endpoint_auth_method"` // null: a secret, however it is sent
	JWKS       json.RawMessage `json:"jwks"`                       // or null
	JWKSURI    *string         `json:"jwks_uri"`
	TLSSubject *string         `json:"tls_client_auth_subject"`
	RequirePAR bool            `json:"require_pushed_authorization_requests"`

	DPoPBound    bool   `json:"dpop_bound_access_tokens"`
	MTLSBound    bool   `json:"tls_client_certificate_bound_access_tokens"`
	TokenFormat  string `json:"access_token_format"`
	SigningAlg   string `json:"signing_alg"`
	RefreshGrace int64  `json:"refresh_grace"` // seconds, as the next two
	RefreshIdle  *int64 `json:"refresh_idle"`  // null: the default
	RefreshMax   *int64 `json:"refresh_max"`   // null: the default

	LogoutURIs     []string `json:"post_logout_redirect_uris"`
	BackchannelURI *string  `json:"backchannel_logout_uri"`

	RegisteredBy string     `json:"registered_by"`
	Owner        *string    `json:"owner"`
	CreatedAt    time.Time  `json:"created_at"`
	DisabledAt   *time.Time `json:"disabled_at"`
	Secret       string     `json:"client_secret,omitempty"` // in the answer that makes it
}

func viewClient(c *store.Client) clientView {
	v := clientView{
		ID: c.ID, Name: c.Name, Homepage: given(c.Homepage), Public: c.Public, Trusted: c.Trusted,
		RedirectURIs: shown(c.RedirectURIs), GrantTypes: shown(c.GrantTypes), Scopes: shown(c.Scopes), Resources: shown(c.Resources),
		Origins: shown(c.Origins), Introspects: shown(c.Introspects),
		AuthMethod: given(c.AuthMethod), JWKS: json.RawMessage(c.JWKS), JWKSURI: given(c.JWKSURI), TLSSubject: given(c.TLSSubject),
		RequirePAR: c.RequirePAR, DPoPBound: c.Bound == "dpop", MTLSBound: c.Bound == "mtls",
		TokenFormat: or(c.TokenFormat, "opaque"), SigningAlg: or(c.SigningAlg, "ES256"),
		RefreshGrace: c.RefreshGrace, RefreshIdle: given(c.RefreshIdle), RefreshMax: given(c.RefreshMost),
		LogoutURIs: shown(c.LogoutURIs), BackchannelURI: given(c.BackchannelURI),
		RegisteredBy: or(c.RegisteredBy, "admin"), Owner: given(c.Owner), CreatedAt: c.CreatedAt.Time, DisabledAt: when(c.DisabledAt),
	}
	if c.Public && c.AuthMethod == "" {
		v.AuthMethod = given("none")
	}
	if c.JWKS == "" {
		v.JWKS = nil
	}
	return v
}

// given shows what is there, and null where there is nothing.
func given[T comparable](v T) *T {
	var nothing T
	if v == nothing {
		return nil
	}
	return &v
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
