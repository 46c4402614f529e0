package pointgate.alerts.rules.reuse_test

import data.pointgate.alerts_test as sample

test_one_is_enough if {
	window := sample.window([{"action": "token.reuse", "allow": false, "code": "code_reuse", "resource": "grant"}])
	sample.keys(window, "reuse") == {"cus_alice demo-web"}
	sample.detail(window, "reuse") == "A credential of demo-web for cus_alice was shown again after its use."
	sample.decisions(window, "reuse") == {"d1"}
}

test_other_ends_are_none if sample.keys(sample.window([{"action": "token.revoke"}]), "reuse") == set()
