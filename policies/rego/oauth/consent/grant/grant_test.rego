package pointgate.oauth.consent.grant_test

import data.pointgate.lib.sample_test as ask

test_a_person if ask.code(_own) == "ok"

test_not_by_a_token if {
	ask.code(ask.grant("consent.grant", "authorization_code", ["points:read"])) == "missing_role"
}

test_not_in_anothers_name if ask.code(ask.about(_own, "cus_bob", "demo")) == "not_owner"

test_a_scope_that_is_not_registered if {
	ask.code(ask.session(ask.grant("consent.grant", "authorization_code", ["admin"]))) == "missing_role"
}

_own := ask.session(ask.grant("consent.grant", "authorization_code", ["points:read"]))
