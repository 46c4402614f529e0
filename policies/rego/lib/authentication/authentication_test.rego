package pointgate.lib.authentication_test

import data.pointgate
import data.pointgate.lib.sample_test as ask

test_each_status_has_its_code if {
	every status, code in {
		"missing": "missing_credentials",
		"invalid": "invalid_credentials",
		"expired": "expired_credentials",
		"revoked": "revoked_credentials",
		"not a status": "invalid_credentials",
	} {
		pointgate.decision.code == code with input as _own with input.context.authentication.status as status
		pointgate.decision.status == 401 with input as _own with input.context.authentication.status as status
	}
}

test_nobody_is_never_valid if {
	pointgate.decision.code == "invalid_credentials" with input as _own with input.subject.type as "anonymous"
}

test_it_comes_before_all_else if {
	pointgate.decision.code == "missing_credentials" with input as ask.customer("no.such", [])
		with input.context.authentication.status as "missing"
		with input.subject.properties.tenant as "other"
}

_own := ask.customer("points.read", ["points:read"])
