package main

import (
	"strings"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

// demoPerson is a customer (with points) or a member of staff (with roles).
type demoPerson struct {
	tenant, id, email, name string
	roles                   store.Words
	points                  int
	script                  string // the name of the person's token in demo.json
}

// otherAdmin names the token that gives the other tenant its points; it is not
// written anywhere.
const otherAdmin = "other_admin_token"

var demoPeople = []demoPerson{
	{tenant: "demo", id: "cus_alice", email: "alice@demo.example", name: "Alice Example", points: 1200},
	{tenant: "demo", id: "cus_bob", email: "bob@demo.example", name: "Bob Example", points: 300},
	{tenant: "other", id: "cus_olga", email: "olga@other.example", name: "Olga Example", points: 500},
	{tenant: "demo", id: "stf_admin", email: "admin@demo.example", name: "Ada Admin", roles: store.Words{"super_admin"}, script: "admin_token"},
	{tenant: "demo", id: "stf_manager", email: "manager@demo.example", name: "Max Manager", roles: store.Words{"manager"}, script: "manager_token"},
	{tenant: "demo", id: "stf_support", email: "support@demo.example", name: "Sue Support", roles: store.Words{"support"}, script: "support_token"},
	{tenant: "demo", id: "stf_viewer", email: "viewer@demo.example", name: "Vic Viewer", roles: store.Words{"viewer"}, script: "viewer_token"},
	{tenant: "demo", id: "stf_auditor", email: "auditor@demo.example", name: "Aud Auditor", roles: store.Words{"auditor"}, script: "auditor_token"},
	{tenant: "demo", id: "stf_security", email: "security@demo.example", name: "Sec Security", roles: store.Words{"policy_editor"}, script: "policy_token"},
	{tenant: "demo", id: "stf_approver", email: "approver@demo.example", name: "App Approver", roles: store.Words{"policy_approver"}, script: "approver_token"},
	{tenant: "other", id: "stf_other_admin", email: "admin@other.example", name: "Otto Admin", roles: store.Words{"super_admin"}, script: otherAdmin},
}

func (p demoPerson) kind() string {
	if len(p.roles) > 0 {
		return "staff"
	}
	return "customer"
}

// password is demo-NAME-password by the name before the @.
func (p demoPerson) password() string {
	name, _, _ := strings.Cut(p.email, "@")
	if p.email == "admin@other.example" {
		name = "other-admin"
	}
	return "demo-" + name + "-password"
}

// demoClient is a client with its well-known secret.
type demoClient struct {
	store.Client
	secret string
}

func (d *demo) clients() []demoClient {
	customer := store.Words{"points:read", "points:write", "points:transfer", "openid", "email", "profile", "offline_access"}
	code := store.Words{"authorization_code", "refresh_token"}
	return []demoClient{
		{secret: "demo-web-secret", Client: store.Client{
			Tenant: "demo", ID: "demo-web", Name: "Demo Web Shop", RedirectURIs: store.Words{"http://127.0.0.1:9090/callback"},
			GrantTypes: code, Scopes: customer, RefreshGrace: 30,
		}},
		{Client: store.Client{
			Tenant: "demo", ID: "demo-spa", Name: "Demo Single-Page App", Public: true, RedirectURIs: store.Words{"http://127.0.0.1:9091/callback"},
			Origins: store.Words{"http://127.0.0.1:9091"}, GrantTypes: code, Scopes: customer,
		}},
		{secret: "demo-service-secret", Client: store.Client{
			Tenant: "demo", ID: "demo-service", Name: "Demo Service", Trusted: true,
			GrantTypes: store.Words{"client_credentials"}, Scopes: store.Words{"points:read", "points:write"},
		}},
		{secret: "demo-gateway-secret", Client: store.Client{
			Tenant: "demo", ID: "demo-gateway", Name: "Demo Gateway", Introspects: store.Words{d.config.PublicURL + "/api"},
			GrantTypes: store.Words{oauth2.ExchangeGrant}, Scopes: store.Words{"points:read", "points:write"},
		}},
		{Client: store.Client{
			Tenant: "demo", ID: "demo-tv", Name: "Demo Television", Public: true,
			GrantTypes: store.Words{oauth2.DeviceGrant, "refresh_token"}, Scopes: store.Words{"points:read", "points:write", "offline_access"},
		}},
		{secret: "other-web-secret", Client: store.Client{
			Tenant: "other", ID: "other-web", Name: "Other Web Shop", RedirectURIs: store.Words{"http://127.0.0.1:9090/callback"},
			GrantTypes: code, Scopes: customer, RefreshGrace: 30,
		}},
	}
}
