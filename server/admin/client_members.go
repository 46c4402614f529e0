package admin

import (
	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

const (
	maxKeySet    = 32 << 10 // bytes
	maxLifetimeS = 365 * 24 * 60 * 60
)

func clientMembers(f *web.Fields, in *input[store.Client]) {
	notNull(f, "name", "trusted", "grant_types")
	if in.created {
		f.Require("name")
		if v, ok := f.String("id", 64); ok {
			in.set(func(c *store.Client) { c.ID = v })
		}
		if v, ok := f.Bool("public"); ok {
			in.set(func(c *store.Client) { c.Public = v })
		}
	} else {
		notNull(f, "disabled")
		disabled(f, in, func(c *store.Client) *store.Time { return &c.DisabledAt })
	}
	if v, ok := line(f, "name"); ok {
		in.set(func(c *store.Client) { c.Name = v })
	}
	if v, ok := f.Bool("trusted"); ok {
		in.set(func(c *store.Client) { c.Trusted = v })
	}
	for _, list := range clientWords {
		if v, ok := words(f, list.name); ok {
			in.set(func(c *store.Client) { *list.of(c) = v })
		}
	}
	for _, text := range clientTexts {
		if v, ok := f.String(text.name, maxWord); ok || f.Null(text.name) {
			in.set(func(c *store.Client) { *text.of(c) = v })
		}
	}
	clientKeys(f, in)
	clientTokens(f, in)
}

// clientMember is a field of a client by its name.
type clientMember[T any] struct {
	name string
	of   func(*store.Client) *T
}

var clientWords = []clientMember[store.Words]{
	{"redirect_uris", func(c *store.Client) *store.Words { return &c.RedirectURIs }},
	{"grant_types", func(c *store.Client) *store.Words { return &c.GrantTypes }},
	{"scopes", func(c *store.Client) *store.Words { return &c.Scopes }},
	{"resources", func(c *store.Client) *store.Words { return &c.Resources }},
	{"origins", func(c *store.Client) *store.Words { return &c.Origins }},
	{"introspects", func(c *store.Client) *store.Words { return &c.Introspects }},
	{"post_logout_redirect_uris", func(c *store.Client) *store.Words { return &c.LogoutURIs }},
}

var clientTexts = []clientMember[string]{
	{"homepage", func(c *store.Client) *string { return &c.Homepage }},
	{"jwks_uri", func(c *store.Client) *string { return &c.JWKSURI }},
	{"tls_client_auth_subject", func(c *store.Client) *string { return &c.TLSSubject }},
	{"backchannel_logout_uri", func(c *store.Client) *string { return &c.BackchannelURI }},
}

var clientLifetimes = []clientMember[int64]{
	{"refresh_idle", func(c *store.Client) *int64 { return &c.RefreshIdle }},
	{"refresh_max", func(c *store.Client) *int64 { return &c.RefreshMost }},
}

// clientKeys reads how the client proves who it is.
func clientKeys(f *web.Fields, in *input[store.Client]) {
	if v, ok := f.OneOf("token_endpoint_auth_method", oauth2.AuthMethods...); ok || f.Null("token_endpoint_auth_method") {
		in.set(func(c *store.Client) { c.AuthMethod = v })
	}
	if v, ok := f.Object("jwks", maxKeySet); ok || f.Null("jwks") {
		in.set(func(c *store.Client) { c.JWKS = string(v) })
	}
	notNull(f, "require_pushed_authorization_requests", "dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens")
	if v, ok := f.Bool("require_pushed_authorization_requests"); ok {
		in.set(func(c *store.Client) { c.RequirePAR = v })
	}
	dpop, one := f.Bool("dpop_bound_access_tokens")
	mtls, other := f.Bool("tls_client_certificate_bound_access_tokens")
	if dpop && mtls {
		f.Wrong("dpop_bound_access_tokens", "invalid", "Tokens are bound to one thing only.")
	}
	bind := func(given, on bool, to string) {
		in.set(func(c *store.Client) {
			switch {
			case given && on:
				c.Bound = to
			case given && c.Bound == to:
				c.Bound = ""
			}
		})
	}
	bind(one, dpop, "dpop")
	bind(other, mtls, "mtls")
}

// clientTokens reads what tokens look like, and how long they live.
func clientTokens(f *web.Fields, in *input[store.Client]) {
	if v, ok := f.OneOf("access_token_format", "opaque", "jwt"); ok || f.Null("access_token_format") {
		if v == "opaque" {
			v = ""
		}
		in.set(func(c *store.Client) { c.TokenFormat = v })
	}
	if v, ok := f.OneOf("signing_alg", oauth2.SigningAlgs...); ok || f.Null("signing_alg") {
		in.set(func(c *store.Client) { c.SigningAlg = v })
	}
	if f.Null("refresh_grace") {
		in.set(func(c *store.Client) { c.RefreshGrace = defaultGrace })
	}
	if v, ok := f.Int("refresh_grace", 0, 300); ok {
		in.set(func(c *store.Client) { c.RefreshGrace = v })
	}
	for _, life := range clientLifetimes {
		if v, ok := f.Int(life.name, 60, maxLifetimeS); ok || f.Null(life.name) {
			in.set(func(c *store.Client) { *life.of(c) = v })
		}
	}
}
