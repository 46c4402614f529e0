package oauth2

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
)

func TestCheckClient(t *testing.T) {
	redirect := func(uris ...string) func(*store.Client) {
		return func(c *store.Client) { c.RedirectURIs = uris }
	}
	for name, c := range map[string]struct {
		edit func(*store.Client)
		want []string
	}{
		"a good one":       {func(*store.Client) {}, nil},
		"https":            {redirect("https://app.example/cb?a=b"), nil},
		"loopback":         {redirect("http://127.0.0.1/cb", "http://[::1]:1/cb", "http://localhost:3000/"), nil},
		"a private scheme": {redirect("com.example.app:/cb"), nil},
		"a resource server": {func(c *store.Client) {
			c.RedirectURIs, c.GrantTypes, c.Introspects = nil, nil, store.Words{"https://x/api"}
		}, nil},
		"a short id":             {func(c *store.Client) { c.ID = "ab" }, []string{"id"}},
		"an odd id":              {func(c *store.Client) { c.ID = "Web App" }, []string{"id"}},
		"an id like a person's":  {func(c *store.Client) { c.ID = "cus_alice" }, []string{"id"}},
		"no name":                {func(c *store.Client) { c.Name = "" }, []string{"name"}},
		"an unknown grant":       {func(c *store.Client) { c.GrantTypes = append(c.GrantTypes, "password") }, []string{"grant_types"}},
		"a grant twice":          {func(c *store.Client) { c.GrantTypes = append(c.GrantTypes, "refresh_token") }, []string{"grant_types"}},
		"refresh without code":   {func(c *store.Client) { c.GrantTypes, c.RedirectURIs = store.Words{"refresh_token"}, nil }, []string{"grant_types"}},
		"public and alone":       {func(c *store.Client) { c.Public = true; c.GrantTypes = append(c.GrantTypes, "client_credentials") }, []string{"grant_types"}},
		"public and trusted":     {func(c *store.Client) { c.Public, c.Trusted = true, true }, []string{"trusted"}},
		"trusted by itself":      {func(c *store.Client) { c.Trusted, c.RegisteredBy = true, "developer" }, []string{"trusted"}},
		"public and asking":      {func(c *store.Client) { c.Public, c.Introspects = true, store.Words{"https://x/api"} }, []string{"introspects"}},
		"no address":             {redirect(), []string{"redirect_uris"}},
		"an address for nothing": {func(c *store.Client) { c.GrantTypes = store.Words{"client_credentials"} }, []string{"redirect_uris"}},
		"too many addresses":     {redirect(strings.Fields(strings.Repeat("https://a/ ", 21))...), []string{"redirect_uris"}},
		"an unknown scope":       {func(c *store.Client) { c.Scopes = store.Words{"points:steal"} }, []string{"scopes"}},
		"an origin with a path":  {func(c *store.Client) { c.Origins = store.Words{"https://app.example/"} }, []string{"origins"}},
		"a plain http origin":    {func(c *store.Client) { c.Origins = store.Words{"http://app.example"} }, []string{"origins"}},
		"any origin":             {func(c *store.Client) { c.Origins = store.Words{"*"} }, []string{"origins"}},
		"a key set":              {func(c *store.Client) { c.AuthMethod, c.JWKS = "private_key_jwt", keySet(t) }, nil},
		"an address of keys":     {func(c *store.Client) { c.AuthMethod, c.JWKSURI = "private_key_jwt", "https://app.example/keys" }, nil},
		"a certificate":          {func(c *store.Client) { c.AuthMethod, c.TLSSubject = "tls_client_auth", "dns:app.example" }, nil},
		"all kinds of grants":    {func(c *store.Client) { c.GrantTypes = grantTypes }, nil},
		"a device":               {func(c *store.Client) { c.GrantTypes, c.RedirectURIs = store.Words{DeviceGrant, "refresh_token"}, nil }, nil},
		"tokens of its own kind": {func(c *store.Client) { c.Bound, c.TokenFormat, c.SigningAlg = "dpop", "jwt", "EdDSA" }, nil},
		"lifetimes":              {func(c *store.Client) { c.RefreshIdle, c.RefreshMost = 60, maxRefreshLife }, nil},
		"addresses for logout":   {func(c *store.Client) { c.LogoutURIs, c.BackchannelURI = c.RedirectURIs, "http://127.0.0.1:9090/bye" }, nil},
		"an unknown method":      {func(c *store.Client) { c.AuthMethod = "client_secret_jwt" }, []string{"token_endpoint_auth_method"}},
		"none, but not public":   {func(c *store.Client) { c.AuthMethod = "none" }, []string{"token_endpoint_auth_method"}},
		"public with a secret":   {func(c *store.Client) { c.Public, c.AuthMethod = true, "client_secret_basic" }, []string{"token_endpoint_auth_method"}},
		"public with keys":       {func(c *store.Client) { c.Public, c.JWKS = true, keySet(t) }, []string{"jwks"}},
		"an assertion, no keys":  {func(c *store.Client) { c.AuthMethod = "private_key_jwt" }, []string{"jwks"}},
		"self-signed, no keys":   {func(c *store.Client) { c.AuthMethod = "self_signed_tls_client_auth" }, []string{"jwks"}},
		"keys in two ways":       {func(c *store.Client) { c.JWKS, c.JWKSURI = keySet(t), "https://app.example/keys" }, []string{"jwks_uri"}},
		"keys in the clear":      {func(c *store.Client) { c.JWKSURI = "http://app.example/keys" }, []string{"jwks_uri"}},
		"keys in an app":         {func(c *store.Client) { c.JWKSURI = "com.example.app:/keys" }, []string{"jwks_uri"}},
		"keys that are none":     {func(c *store.Client) { c.JWKS = "{}" }, []string{"jwks"}},
		"no subject":             {func(c *store.Client) { c.AuthMethod = "tls_client_auth" }, []string{"tls_client_auth_subject"}},
		"a subject for nothing":  {func(c *store.Client) { c.TLSSubject = "dns:app.example" }, []string{"tls_client_auth_subject"}},
		"any subject":            {func(c *store.Client) { c.AuthMethod, c.TLSSubject = "tls_client_auth", "dns:*" }, []string{"tls_client_auth_subject"}},
		"nothing to push": {func(c *store.Client) { c.RequirePAR, c.GrantTypes, c.RedirectURIs = true, nil, nil },
			[]string{"require_pushed_authorization_requests"}},
		"public and exchanging":   {func(c *store.Client) { c.Public = true; c.GrantTypes = append(c.GrantTypes, ExchangeGrant) }, []string{"grant_types"}},
		"bound to a cookie":       {func(c *store.Client) { c.Bound = "cookie" }, []string{"dpop_bound_access_tokens"}},
		"tokens of no kind":       {func(c *store.Client) { c.TokenFormat = "opaque" }, []string{"access_token_format"}},
		"signed by nobody":        {func(c *store.Client) { c.SigningAlg = "none" }, []string{"signing_alg"}},
		"signed by a secret":      {func(c *store.Client) { c.SigningAlg = "HS256" }, []string{"signing_alg"}},
		"a resource without host": {func(c *store.Client) { c.Resources = store.Words{"https:///api"} }, []string{"resources"}},
		"a part of a resource":    {func(c *store.Client) { c.Resources = store.Words{"https://x.example/api#a"} }, []string{"resources"}},
		"too short a life":        {func(c *store.Client) { c.RefreshIdle = 59 }, []string{"refresh_idle"}},
		"too long a life":         {func(c *store.Client) { c.RefreshMost = maxRefreshLife + 1 }, []string{"refresh_max"}},
		"idle beyond the end":     {func(c *store.Client) { c.RefreshIdle, c.RefreshMost = 61, 60 }, []string{"refresh_idle"}},
		"a logout anywhere":       {func(c *store.Client) { c.LogoutURIs = store.Words{"http://app.example/"} }, []string{"post_logout_redirect_uris"}},
		"a logout told an app":    {func(c *store.Client) { c.BackchannelURI = "com.example.app:/bye" }, []string{"backchannel_logout_uri"}},
		"a script as homepage":    {func(c *store.Client) { c.Homepage = "javascript:alert(1)" }, []string{"homepage"}},
		"no grace below zero":     {func(c *store.Client) { c.RefreshGrace = -1 }, []string{"refresh_grace"}},
		"no grace of an hour":     {func(c *store.Client) { c.RefreshGrace = 3600 }, []string{"refresh_grace"}},
	} {
		t.Run(name, func(t *testing.T) {
			client := &store.Client{
				ID: "web-app", Name: "Web", RedirectURIs: store.Words{"https://app.example/cb"},
				GrantTypes: store.Words{"authorization_code", "refresh_token"}, Scopes: store.Words{"points:read"},
				Origins: store.Words{"https://app.example", "http://127.0.0.1:9091"}, RefreshGrace: 30,
			}
			c.edit(client)
			var got []string
			for _, f := range CheckClient(client) {
				got = append(got, f.Field)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAddressesThatTakeNoCodes(t *testing.T) {
	for _, uri := range []string{
		"", "/cb", "app.example/cb", "http://app.example/cb", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd",
		"myapp:/cb", "https://user@app.example/cb", "https://app.example/cb#f", "https://app.example/cb#", "https://*.app.example/cb",
		"https:///cb", "https:app.example", "//app.example/cb", "HTTPS://app.example/cb", "https://app.example/a b", "https://app.example\\@evil.example/",
		"com.example.app:cb",
	} {
		if redirectRegistrable(uri) {
			t.Errorf("%q can be registered", uri)
		}
	}
}

func TestScopeTable(t *testing.T) {
	for _, s := range Scopes() {
		if staff, customer := s.Words("staff"), s.Words("customer"); s.Staff && strings.Contains(staff, "your points") || customer != s.Text {
			t.Errorf("%s: staff read %q, customers %q", s.Name, staff, customer)
		}
		if s.Text == "" || !(s.Customer || s.Staff || s.Client) {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	for who, want := range map[string]string{
		"customer": "points:read points:write points:transfer openid email profile offline_access",
		"staff":    "points:read points:write points:adjust policy:read policy:write audit:read admin openid email profile offline_access",
		"client":   "points:read points:write",
		"system":   "",
	} {
		var got []string
		for _, s := range Scopes() {
			if MayHold(who, s.Name) {
				got = append(got, s.Name)
			}
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", who, diff)
		}
	}
	if MayHold("customer", "POINTS:READ") || MayHold("customer", "points:*") || MayHold("customer", "") {
		t.Error("a scope is matched loosely")
	}
}
