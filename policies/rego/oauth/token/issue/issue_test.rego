package pointgate.oauth.token.issue_test

import data.pointgate.lib.sample_test as ask

test_a_code if ask.code(ask.grant("token.issue", "authorization_code", ["points:read"])) == "ok"

test_client_credentials if ask.code(_own(["points:read"])) == "ok"

test_a_scope_that_is_not_registered if ask.code(ask.grant("token.issue", "authorization_code", ["admin"])) == "missing_role"

test_a_grant_type_that_is_not_registered if {
	ask.code(ask.grant("token.issue", "password", ["points:read"])) == "missing_role"
}

test_the_grant_of_another if ask.code(ask.about(_own(["points:read"]), "cus_alice", "demo")) == "not_owner"

_own(scopes) := object.union(
	ask.about(
		object.union(ask.client("token.issue", scopes), {"resource": {"type": "grant"}}),
		"cli_shop",
		"demo",
	),
	{"context": {"facts": {
		"grant_type": "client_credentials",
		"client_grant_types": ["client_credentials"],
		"client_scopes": ["points:read"],
	}}},
)
