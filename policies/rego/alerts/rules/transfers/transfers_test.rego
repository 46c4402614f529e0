package pointgate.alerts.rules.transfers_test

import data.pointgate.alerts_test as sample

_sent(sender, count) := {"action": "points.transfer", "subject": sender, "resource": sender, "related": "cus_mule", "count": count, "decisions": [sender]}

test_many_into_one if {
	window := sample.window([_sent("cus_a", 1), _sent("cus_b", 9)])
	sample.keys(window, "transfers") == {"cus_mule"}
	sample.detail(window, "transfers") == "cus_mule received 10 transfers, from 2 accounts."
	sample.decisions(window, "transfers") == {"cus_a", "cus_b"}
}

test_fewer if sample.keys(sample.window([_sent("cus_a", 9)]), "transfers") == set()

test_into_several if {
	window := sample.window([_sent("cus_a", 9), object.union(_sent("cus_b", 9), {"related": "cus_c"})])
	sample.keys(window, "transfers") == set()
}

test_what_was_refused if {
	every refused in [{"allow": false, "code": "missing_scope"}, {"code": "insufficient_points"}, {"related": ""}] {
		window := sample.window([object.union(_sent("cus_a", 100), refused)])
		sample.keys(window, "transfers") == set()
	}
}
