package pointgate.alerts.rules.guessing_test

import data.pointgate.alerts_test as sample

_failed := {"action": "login.fail", "allow": false, "code": "invalid_credentials", "subject": ""}

test_one_account if {
	window := sample.window([object.union(_failed, {"count": 9}), object.union(_failed, {"ip": "192.0.2.2", "decisions": ["d2"]})])
	sample.keys(window, "guessing") == {"account cus_alice"}
	sample.detail(window, "guessing") == "10 attempts to sign in failed, of account cus_alice."
	sample.decisions(window, "guessing") == {"d1", "d2"}
}

test_fewer if sample.keys(sample.window([object.union(_failed, {"count": 9})]), "guessing") == set()

test_one_address if {
	window := sample.window([object.union(_failed, {"resource": "", "count": 30})])
	sample.keys(window, "guessing") == {"address 192.0.2.1"}
}

test_fewer_from_one_address if sample.keys(sample.window([object.union(_failed, {"resource": "", "count": 29})]), "guessing") == set()

test_nowhere if sample.keys(sample.window([object.union(_failed, {"resource": "", "ip": "", "count": 100})]), "guessing") == set()

test_success_is_no_guess if sample.keys(sample.window([{"action": "login.succeed", "count": 100}]), "guessing") == set()
