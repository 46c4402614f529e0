package pointgate.lib.limit_test

import data.pointgate
import data.pointgate.lib.limit
import data.pointgate.lib.sample_test as ask

test_exactly_the_limit if limit.within with input as _manager({"points": 1, "adjusted_today": 999})

test_one_more if not limit.within with input as _manager({"points": 2, "adjusted_today": 999})

test_the_sign_does_not_help if {
	limit.within with input as _manager({"points": -1, "adjusted_today": 999})
	not limit.within with input as _manager({"points": -2, "adjusted_today": 999})
}

test_not_judged_without_points if limit.within with input as _manager({"adjusted_today": 5000})

test_a_missing_sum_is_no_leave if not limit.within with input as _manager({"points": 1})

test_a_missing_limit_is_no_leave if {
	not limit.within with input as _manager({"points": 1, "adjusted_today": 0}) with data.limits as {}
}

test_it_is_told_as_a_denial if {
	pointgate.decision.code == "over_daily_limit" with input as _manager({"points": 1, "adjusted_today": 1000})
}

_manager(facts) := ask.with_facts(ask.staff("manager", "points.adjust", ["points:adjust"]), facts)
