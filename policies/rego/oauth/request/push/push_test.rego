package pointgate.oauth.request.push_test

import data.pointgate.lib.sample_test as ask

test_its_own if ask.code(_push(["points:read"])) == "ok"

test_a_scope_that_is_not_registered if ask.code(_push(["admin"])) == "missing_role"

test_a_client_without_codes if {
	ask.code(object.union(_push([]), {"context": {"facts": {"client_grant_types": ["client_credentials"]}}})) == "missing_role"
}

test_anothers if ask.code(ask.about(_push([]), "cli_other", "demo")) == "not_owner"

test_at_another_tenant if ask.code(ask.about(_push([]), "cli_shop", "other")) == "not_owner"

test_a_trusted_client_for_another if {
	ask.code(object.union(ask.about(_push([]), "cli_other", "demo"), {"context": {"client": {"trusted": true}}})) == "missing_role"
}

test_not_a_person if {
	ask.code(ask.about(ask.grant("request.push", "authorization_code", []), "cus_alice", "demo")) == "missing_role"
}

_push(scopes) := object.union(
	ask.about(
		object.union(ask.client("request.push", scopes), {"resource": {"type": "authorization_request"}}),
		"cli_shop",
		"demo",
	),
	{"context": {"facts": {
		"grant_type": "authorization_code",
		"client_grant_types": ["authorization_code"],
		"client_scopes": ["points:read"],
	}}},
)
