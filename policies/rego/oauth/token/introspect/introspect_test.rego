package pointgate.oauth.token.introspect_test

import data.pointgate.lib.sample_test as ask

test_nothing_that_is_there if ask.code(ask.about_nothing(ask.client("token.introspect", []))) == "ok"

test_its_own if ask.code(_about({"own": true, "serves": false, "token_type": "refresh_token"})) == "ok"

test_what_it_serves if ask.code(_about({"own": false, "serves": true, "token_type": "access_token"})) == "ok"

test_a_refresh_token_of_another if {
	ask.code(_about({"own": false, "serves": true, "token_type": "refresh_token"})) == "missing_role"
}

test_another_audience if ask.code(_about({"own": false, "serves": false, "token_type": "access_token"})) == "missing_role"

test_not_a_person if {
	ask.code(object.union(ask.customer("token.introspect", []), {"resource": {"type": "token"}, "context": {"facts": {}}})) == "missing_role"
}

_about(facts) := ask.with_facts(
	ask.about(object.union(ask.client("token.introspect", []), {"resource": {"type": "token"}}), "cli_web", "demo"),
	facts,
)
