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

test_staff if {
	ask.code(_staff("admin", ["points:read"])) == "ok"
	ask.code(_staff("dynamic", ["openid", "email"])) == "ok"
}

test_staff_and_a_stranger if {
	every by in ["dynamic", "document", "developer"] {
		ask.code(_staff(by, ["openid", "points:read"])) == "missing_role"
	}
}

test_a_customer_and_a_stranger if ask.code(ask.with_facts(_own, {"client_registered_by": "dynamic"})) == "ok"

_staff(by, scopes) := ask.with_facts(
	ask.session(ask.about(object.union(ask.staff("manager", "consent.grant", scopes), {"resource": {"type": "grant"}}), "stf_kim", "demo")),
	{
		"grant_type": "authorization_code",
		"client_grant_types": ["authorization_code"],
		"client_scopes": ["points:read", "openid", "email"],
		"client_registered_by": by,
	},
)

_own := ask.session(ask.grant("consent.grant", "authorization_code", ["points:read"]))
