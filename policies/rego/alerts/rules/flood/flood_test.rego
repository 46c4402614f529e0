package pointgate.alerts.rules.flood_test

import data.pointgate.alerts_test as sample

_dropped(what) := object.union(sample.quiet, {"truncated": true, "dropped": what, "totals": {"denied": 70, "decisions": ["d1"]}})

test_denials_were_not_seen if {
	sample.keys(_dropped({"denied": 7}), "flood") == {"flood"}
	sample.detail(_dropped({"denied": 7}), "flood") == "7 of 70 denials were counted without being looked at."
	sample.decisions(_dropped({"denied": 7}), "flood") == {"d1"}
}

test_what_was_allowed if sample.keys(_dropped({"allowed": 7}), "flood") == set()
