package pointgate.alerts.rules.redemptions_test

import data.pointgate.alerts_test as sample

_redeemed := {"action": "points.redeem"}

test_a_burst if {
	window := sample.window([object.union(_redeemed, {"count": 6}), object.union(_redeemed, {"ip": "192.0.2.2", "count": 4, "decisions": ["d2"]})])
	sample.keys(window, "redemptions") == {"cus_alice"}
	sample.detail(window, "redemptions") == "Points of cus_alice were redeemed 10 times."
	sample.decisions(window, "redemptions") == {"d1", "d2"}
}

test_fewer if sample.keys(sample.window([object.union(_redeemed, {"count": 9})]), "redemptions") == set()

test_of_several_accounts if {
	window := sample.window([object.union(_redeemed, {"count": 9}), object.union(_redeemed, {"resource": "cus_bob", "count": 9})])
	sample.keys(window, "redemptions") == set()
}

test_what_was_refused if {
	every refused in [{"allow": false, "code": "missing_scope"}, {"code": "insufficient_points"}] {
		window := sample.window([object.union(object.union(_redeemed, refused), {"count": 100})])
		sample.keys(window, "redemptions") == set()
	}
}
