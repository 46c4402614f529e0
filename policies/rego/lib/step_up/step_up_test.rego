package pointgate.lib.step_up_test

import data.pointgate
import data.pointgate.lib.sample_test as ask
import data.pointgate.lib.step_up

test_age if {
	step_up.suffices({"max_age_s": 300}) with input as _logged_in(300, "1fa")
	not step_up.suffices({"max_age_s": 300}) with input as _logged_in(301, "1fa")
	step_up.suffices({"max_age_s": 0}) with input as _logged_in(0, "1fa")
}

test_class if {
	step_up.suffices({"acr_values": ["2fa", "1fa"]}) with input as _logged_in(9999, "1fa")
	not step_up.suffices({"acr_values": ["2fa"]}) with input as _logged_in(0, "1fa")
	not step_up.suffices({"acr_values": []}) with input as _logged_in(0, "1fa")
}

test_both if {
	need := {"max_age_s": 300, "acr_values": ["2fa"]}
	step_up.suffices(need) with input as _logged_in(300, "2fa")
	not step_up.suffices(need) with input as _logged_in(301, "2fa")
	not step_up.suffices(need) with input as _logged_in(300, "1fa")
}

test_nobody_logged_in if {
	not step_up.suffices({"max_age_s": 300}) with input as ask.client("points.transfer", [])
	not step_up.suffices({"acr_values": ["1fa"]}) with input as ask.client("points.transfer", [])
}

test_nothing_is_said if not step_up.suffices({}) with input as _logged_in(0, "1fa")

test_what_the_client_is_told if {
	step_up.reason({"points": 500, "max_age_s": 300}).step_up == {"max_age": 300}
	step_up.reason({"acr_values": ["a", "b"]}).step_up == {"acr_values": "a b"}
	step_up.reason({"max_age_s": 0, "acr_values": ["a"]}).step_up == {"max_age": 0, "acr_values": "a"}
}

test_the_whole_answer if {
	pointgate.decision == {
		"allow": false,
		"status": 401,
		"code": "insufficient_user_authentication",
		"reasons": [{
			"code": "insufficient_user_authentication",
			"message": "This needs a fresher or stronger login. Sign in again to go on.",
			"rule": "pointgate.lib.step_up.insufficient_user_authentication",
		}],
		"needed": ["points:transfer"],
		"obligations": {"step_up": {"max_age": 300}},
	} with input as ask.with_facts(ask.customer("points.transfer", ["points:transfer"]), {"points": 500, "recipient_tenant": "demo"})
		with input.context.authentication.age_s as 301
}

_logged_in(age, class) := ask.logged_in(ask.customer("points.transfer", []), age, class)
