package pointgate.alerts.rules.emergency_test

import data.pointgate.alerts_test as sample

test_one_is_enough if {
	window := sample.window([{"action": "policy.emergency", "subject": "stf_eve"}])
	sample.keys(window, "emergency") == {"stf_eve"}
	sample.detail(window, "emergency") == "stf_eve changed the policy, or tried to, without an approval."
	sample.decisions(window, "emergency") == {"d1"}
}

test_strangers_try_in_vain if sample.keys(sample.window([{"action": "policy.emergency", "subject": ""}]), "emergency") == set()

test_other_changes if sample.keys(sample.window([{"action": "policy.activate"}]), "emergency") == set()
