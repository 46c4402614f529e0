package pointgate.oauth.device.authorize_test

import data.pointgate.lib.sample_test as ask

test_a_client_that_is_registered_for_it if ask.code(_device(["points:read"], [_grant])) == "ok"

test_a_client_that_is_not if ask.code(_device(["points:read"], ["authorization_code"])) == "missing_role"

test_a_scope_that_is_not_registered if ask.code(_device(["admin"], [_grant])) == "missing_role"

test_not_for_a_person if {
	ask.code(object.union(_device(["points:read"], [_grant]), {"subject": {"type": "customer"}})) == "missing_role"
}

_grant := "urn:ietf:params:oauth:grant-type:device_code"

_device(scopes, registered) := object.union(
	ask.about_nothing(ask.client("device.authorize", scopes)),
	{"context": {"facts": {
		"grant_type": _grant,
		"client_grant_types": registered,
		"client_scopes": ["points:read", "points:write"],
	}}},
)
