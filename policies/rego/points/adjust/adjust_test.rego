package pointgate.points.adjust_test

import data.pointgate
import data.pointgate.lib.sample_test as ask

test_manager_up_to_the_limit if ask.code(ask.with_facts(ask.staff("manager", "points.adjust", ["points:adjust"]), {"points": -400, "adjusted_today": 600})) == "ok"

test_manager_over_the_limit if ask.code(ask.with_facts(ask.staff("manager", "points.adjust", ["points:adjust"]), {"points": -401, "adjusted_today": 600})) == "over_daily_limit"

test_super_admin_over_the_limit if ask.code(ask.with_facts(ask.staff("super_admin", "points.adjust", ["points:adjust"]), {"points": 5000, "adjusted_today": 5000})) == "ok"

test_support if ask.code(ask.staff("support", "points.adjust", ["points:adjust"])) == "missing_role"

test_support_over_the_limit if ask.code(ask.with_facts(ask.staff("support", "points.adjust", ["points:adjust"]), {"points": 5000, "adjusted_today": 0})) == "missing_role"

test_trusted_client if ask.code(ask.trusted("points.adjust", ["points:adjust"])) == "missing_role"

test_customer_own if ask.code(ask.customer("points.adjust", ["points:adjust"])) == "missing_role"

test_manager_without_scope if ask.code(ask.staff("manager", "points.adjust", ["points:write"])) == "missing_scope"

test_manager_is_held_to_the_limit if {
	pointgate.decision.obligations == {"daily_adjust_at_most": 1000, "show_internal_note": true} with input as ask.staff("manager", "points.adjust", ["points:adjust"])
}

test_super_admin_is_not if {
	pointgate.decision.obligations == {"show_internal_note": true} with input as ask.staff("super_admin", "points.adjust", ["points:adjust"])
}
