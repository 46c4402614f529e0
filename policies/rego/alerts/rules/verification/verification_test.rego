package pointgate.alerts.rules.verification_test

import data.pointgate.alerts_test as sample

test_a_failure if {
	window := sample.window([{"action": "trail.verify", "allow": false, "code": "verification_failed"}])
	sample.keys(window, "verification") == {"trail"}
	sample.decisions(window, "verification") == {"d1"}
}

test_a_rollback if {
	window := sample.window([{"action": "trail.rollback", "allow": false, "code": "rolled_back"}])
	sample.keys(window, "verification") == {"trail"}
}

test_a_jump_of_the_clock if {
	window := sample.window([{"action": "trail.hold", "allow": false, "code": "retention_jump"}])
	sample.keys(window, "verification") == {"trail"}
}

test_a_fork if {
	window := sample.window([{"action": "trail.fork", "allow": false, "code": "fork"}])
	sample.keys(window, "verification") == {"trail"}
}

test_a_success if sample.keys(sample.window([{"action": "trail.verify"}]), "verification") == set()
