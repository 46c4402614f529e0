package main

// noun is one kind of object that the admin API keeps, as the command line sees
// it. All commands of all nouns are made from this table.
type noun struct {
	name    string
	short   string
	paths   map[string]string // by --type; one path under "" where there is no type
	columns []column
	filters []member // of list
	members []member // of create and update
	verbs   verbs
}

// member is a flag and the member of the JSON object that it fills.
type member struct {
	flag string
	json string
	kind kind
	on   verbs
	help string
}

type kind int

const (
	text      kind = iota
	list           // may be repeated; "" empties the list
	truth          // true or false
	number         // whole
	instant        // RFC 3339, or a time from now such as 720h; "never" clears it
	past           // RFC 3339, or a span back from now such as 10m
	secret         // read from standard input
	clearable      // a text that "" clears
	file           // JSON in a file; "" clears it
)

type verbs int

const (
	create verbs = 1 << iota
	update
	remove // delete
	revoke
	rotate
	rotateAll // rotate without an id

	both = create | update
)

var limitedTo = column{"SCOPES", "scopes"}

var nouns = []noun{
	{
		name: "tenant", short: "Organisations with their own issuer, users and points",
		paths:   map[string]string{"": "/tenants"},
		verbs:   create | update | remove,
		columns: []column{{"ID", "id"}, {"NAME", "name"}, {"ISSUER", "issuer"}, {"HOSTNAMES", "hostnames"}, {"HOME", "home"}, {"DISABLED", "disabled_at"}},
		members: []member{
			{"id", "id", text, create, "its id"},
			{"name", "name", text, both, "its name"},
			{"issuer", "issuer", text, create, "the base of its URLs"},
			{"hostname", "hostnames", list, create, "a host name at which it answers"},
			{"registration", "registration", text, both, "who may register clients: off, token (with a registration-token) or open"},
			{"client-documents", "client_documents", truth, both, "a client may be a document at its id (CIMD)"},
			{"app-scheme", "app_schemes", list, both, "a scheme of a native app that clients may register by themselves"},
		},
	},
	{
		name: "client", short: "OAuth2 applications",
		paths:   map[string]string{"": "/clients"},
		verbs:   create | update | remove | rotate,
		columns: []column{{"ID", "id"}, {"NAME", "name"}, {"PUBLIC", "public"}, {"TRUSTED", "trusted"}, {"GRANT TYPES", "grant_types"}, limitedTo, {"DISABLED", "disabled_at"}},
		members: []member{
			{"id", "id", text, create, "its id (default: made up)"},
			{"name", "name", text, both, "its name, as people see it"},
			{"public", "public", truth, create, "it can't keep a secret: browser and native apps"},
			{"trusted", "trusted", truth, both, "it may act on any customer of its tenant"},
			{"redirect-uri", "redirect_uris", list, both, "where answers may go, exactly"},
			{"grant-type", "grant_types", list, both, "authorization_code, refresh_token, client_credentials, or the URN of the device or exchange grant"},
			{"scope", "scopes", list, both, "a scope it may ask for"},
			{"resource", "resources", list, both, "a resource that it may ask for besides the tenant's API"},
			{"origin", "origins", list, both, "an origin that may call from a browser (CORS)"},
			{"introspect", "introspects", list, both, "a resource whose tokens it may introspect"},
			{"homepage", "homepage", clearable, both, "its page, as people see it"},
			{"auth-method", "token_endpoint_auth_method", clearable, both, "how it proves who it is, e.g. private_key_jwt (default: a secret)"},
			{"jwks", "jwks", file, both, "file with its public keys (JWK set)"},
			{"jwks-uri", "jwks_uri", clearable, both, "where its public keys are"},
			{"tls-subject", "tls_client_auth_subject", clearable, both, "of its certificate: dn:, dns:, uri:, ip: or email: and the value"},
			{"require-par", "require_pushed_authorization_requests", truth, both, "it must push its authorization requests"},
			{"dpop-bound", "dpop_bound_access_tokens", truth, both, "its tokens are bound to a DPoP key"},
			{"mtls-bound", "tls_client_certificate_bound_access_tokens", truth, both, "its tokens are bound to its certificate"},
			{"token-format", "access_token_format", clearable, both, "opaque or jwt"},
			{"signing-alg", "signing_alg", clearable, both, "of its JWTs: ES256, RS256 or EdDSA"},
			{"refresh-grace", "refresh_grace", number, both, "seconds in which a used refresh token gets the same successor"},
			{"refresh-idle", "refresh_idle", number, both, "seconds that a refresh token lives unused"},
			{"refresh-max", "refresh_max", number, both, "seconds that an authorization with refresh tokens lives"},
			{"post-logout-redirect-uri", "post_logout_redirect_uris", list, both, "where the browser may go after a logout, exactly"},
			{"backchannel-logout-uri", "backchannel_logout_uri", clearable, both, "that is told of logouts"},
			{"disabled", "disabled", truth, update, "switch it off, or on again"},
		},
	},
	{
		name: "user", short: "Customers and staff (--type)",
		paths:   map[string]string{"customer": "/customers", "staff": "/staff"},
		verbs:   create | update | remove,
		columns: []column{{"ID", "id"}, {"EMAIL", "email"}, {"NAME", "name"}, {"ROLES", "roles"}, {"CREATED", "created_at"}, {"DISABLED", "disabled_at"}},
		filters: []member{{"email", "email", text, 0, "only this address"}},
		members: []member{
			{"id", "id", text, create, "its id (default: made up)"},
			{"email", "email", text, both, "address"},
			{"name", "name", text, both, "name"},
			{"role", "roles", list, both, "a role (staff only)"},
			{"password-stdin", "password", secret, both, "read the password from standard input"},
			{"disabled", "disabled", truth, update, "switch it off, or on again"},
		},
	},
	{
		name: "key", short: "API keys of clients",
		paths:   map[string]string{"": "/keys"},
		verbs:   create | update | revoke,
		columns: []column{{"ID", "id"}, {"NAME", "name"}, {"CLIENT", "client_id"}, limitedTo, {"CREATED", "created_at"}, {"EXPIRES", "expires_at"}, {"REVOKED", "revoked_at"}, {"LAST USED", "last_used_at"}},
		filters: []member{{"client", "client", text, 0, "only those of this client"}},
		members: []member{
			{"client", "client_id", text, create, "the client it is for"},
			{"name", "name", text, both, "what it is for"},
			{"scope", "scopes", list, both, "a scope of the client"},
			{"expires-at", "expires_at", instant, both, "when it ends: a time, 720h, or never"},
		},
	},
	{
		name: "signing-key", short: "Keys that sign tokens",
		paths:   map[string]string{"": "/signing-keys"},
		verbs:   rotateAll | revoke,
		columns: []column{{"ID", "id"}, {"ALG", "alg"}, {"STATUS", "status"}, {"CREATED", "created_at"}, {"SIGNS FROM", "signs_from"}, {"RETIRED", "retired_at"}, {"ENDS", "ends_at"}},
		members: []member{
			{"alg", "alg", text, rotateAll, "ES256, RS256 or EdDSA (default: each that there is)"},
			{"lead", "lead_s", number, rotateAll, "seconds for which it is published before it signs (default 3600)"},
		},
	},
	{
		name: "token", short: "API tokens of staff",
		paths:   map[string]string{"": "/tokens"},
		verbs:   create | revoke,
		columns: []column{{"ID", "id"}, {"NAME", "name"}, {"STAFF", "staff_id"}, limitedTo, {"CREATED", "created_at"}, {"EXPIRES", "expires_at"}, {"REVOKED", "revoked_at"}, {"LAST USED", "last_used_at"}},
		filters: []member{{"staff", "staff", text, 0, "only those of this person"}},
		members: []member{
			{"staff", "staff_id", text, create, "the person it is for"},
			{"name", "name", text, create, "what it is for"},
			{"scope", "scopes", list, create, "a scope of the person's roles"},
			{"expires-at", "expires_at", instant, create, "when it ends, at most 90 days from now: a time, or 720h"},
		},
	},
	{
		name: "registration-token", short: "Initial access tokens, with which clients register themselves",
		paths:   map[string]string{"": "/registration-tokens"},
		verbs:   create | revoke,
		columns: []column{{"ID", "id"}, {"NAME", "name"}, {"USES", "uses"}, {"MAX USES", "max_uses"}, {"CREATED", "created_at"}, {"EXPIRES", "expires_at"}, {"REVOKED", "revoked_at"}},
		members: []member{
			{"name", "name", text, create, "who it is for"},
			{"max-uses", "max_uses", number, create, "how many clients it is good for (default 1)"},
			{"expires-at", "expires_at", instant, create, "when it ends: a time, 720h, or never"},
		},
	},
	{
		name: "resource", short: "Servers that tokens can be for, besides this one's API",
		paths:   map[string]string{"": "/resources"},
		verbs:   create | update | remove,
		columns: []column{{"ID", "id"}, {"URI", "uri"}, {"NAME", "name"}, limitedTo, {"OPEN", "open"}, {"CREATED", "created_at"}, {"DISABLED", "disabled_at"}},
		members: []member{
			{"id", "id", text, create, "its id (default: made up)"},
			{"uri", "uri", text, create, "what clients call it, and the audience of its tokens"},
			{"name", "name", text, both, "its name, as people see it"},
			{"scope", "scopes", list, both, "a scope that its tokens may have"},
			{"open", "open", truth, both, "every client may ask for it; else only those that name it"},
			{"disabled", "disabled", truth, update, "switch it off, or on again"},
		},
	},
	{
		name: "grant", short: "Authorizations that people gave to clients",
		paths:   map[string]string{"": "/grants"},
		verbs:   revoke,
		columns: []column{{"ID", "id"}, {"CLIENT", "client_id"}, {"SUBJECT", "subject"}, limitedTo, {"CREATED", "created_at"}, {"EXPIRES", "expires_at"}, {"REVOKED", "revoked_at"}},
		filters: []member{
			{"customer", "customer", text, 0, "only those of this person"},
			{"client", "client", text, 0, "only those to this client"},
			{"live", "live", truth, 0, "only those that are neither revoked nor at their end"},
		},
	},
	{
		name: "session", short: "Browsers in which people are signed in",
		paths:   map[string]string{"": "/sessions"},
		verbs:   revoke,
		columns: []column{{"ID", "id"}, {"USER", "user_id"}, {"CREATED", "created_at"}, {"LAST SEEN", "last_seen_at"}, {"ENDED", "ended_at"}, {"ADDRESS", "ip"}, {"BROWSER", "user_agent"}},
		filters: []member{
			{"user", "user", text, 0, "only those of this person"},
			{"customer", "customer", text, 0, "the same"},
			{"live", "live", truth, 0, "only those that are neither ended nor at their end"},
		},
	},
	{
		name: "alert", short: "What rules over the audit trail found",
		paths:   map[string]string{"": "/alerts"},
		verbs:   update,
		columns: []column{{"ID", "id"}, {"STATE", "state"}, {"SEVERITY", "severity"}, {"RULE", "rule"}, {"ABOUT", "key"}, {"COUNT", "count"}, {"RAISED", "raised_at"}, {"LAST", "last_at"}, {"TITLE", "title"}},
		filters: []member{
			{"state", "state", text, 0, "open, acknowledged or closed"},
			{"rule", "rule", text, 0, "only those of this rule"},
			{"severity", "severity", text, 0, "low, medium, high or critical"},
			{"since", "from", past, 0, "only those raised at this time or later: a time, or a span back such as 1h"},
			{"until", "to", past, 0, "only those raised before this time"},
		},
		members: []member{{"state", "state", text, update, "acknowledged or closed"}},
	},
}
