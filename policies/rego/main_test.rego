package pointgate_test

import data.pointgate
import data.pointgate.lib.sample_test as ask

test_allowed_answer if {
	pointgate.decision == {
		"allow": true,
		"status": 200,
		"code": "ok",
		"reasons": [],
		"needed": ["points:read"],
		"obligations": {},
	} with input as ask.customer("points.read", ["points:read"])
}

test_denied_answer if {
	pointgate.decision == {
		"allow": false,
		"status": 403,
		"code": "missing_scope",
		"reasons": [{
			"code": "missing_scope",
			"message": "The credential has none of the scopes that this action accepts.",
			"rule": "pointgate.lib.scope.missing_scope",
		}],
		"needed": ["points:read"],
		"obligations": {},
	} with input as ask.customer("points.read", [])
}

test_an_action_without_a_rule if {
	every action in ["points.eat", "points", "points.", "points.read.x", "eat.points", "", "client"] {
		ask.code(ask.session(ask.staff("super_admin", action, ["admin"]))) == "denied"
	}
}

test_no_input_is_a_denial if not pointgate.allow with input as {}

test_a_rule_of_the_oauth2_endpoints_has_its_own_reason if {
	pointgate.decision.code == "house_rule" with input as ask.grant("token.issue", "password", ["points:read"])
		with data.pointgate.oauth.token.issue.reason as {"code": "house_rule", "message": "", "rule": ""}
}
