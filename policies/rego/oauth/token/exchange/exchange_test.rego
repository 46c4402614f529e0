package pointgate.oauth.token.exchange_test

import data.pointgate.lib.sample_test as ask

test_for_a_resource_that_it_serves if ask.code(_exchange({"serves": true})) == "ok"

test_of_its_own_token if ask.code(_exchange({"own": true})) == "ok"

test_of_its_own_token_for_another_place if {
	ask.code(_exchange({"own": true, "audience": "https://elsewhere.example"})) == "not_entrusted"
}

test_of_a_token_from_elsewhere if ask.code(_exchange({})) == "not_entrusted"

test_wider_than_the_token if {
	ask.code(_exchange({"serves": true, "subject_scopes": ["points:write"]})) == "missing_role"
}

test_wider_than_its_registration if {
	ask.code(_exchange({"serves": true, "client_scopes": ["points:write"]})) == "missing_role"
}

test_without_the_grant_type if {
	ask.code(_exchange({"serves": true, "client_grant_types": ["client_credentials"]})) == "missing_role"
}

test_not_for_staff if {
	ask.code(object.union(_exchange({"serves": true}), {"subject": {"type": "staff"}})) == "missing_role"
}

test_not_anothers_grant if ask.code(ask.about(_exchange({"serves": true}), "cus_bob", "demo")) == "not_owner"

_exchange(facts) := object.union(
	ask.grant("token.exchange", "urn:ietf:params:oauth:grant-type:token-exchange", ["points:read"]),
	{"context": {"facts": object.union(
		{
			"client_grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"],
			"subject_scopes": ["points:read", "points:write"],
			"audience": "https://api.example",
			"subject_audience": "https://api.example",
			"own": false,
			"serves": false,
		},
		facts,
	)}},
)
