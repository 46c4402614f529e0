package pointgate.points.earn_test

import data.pointgate.lib.sample_test as ask

test_trusted_client if ask.code(ask.trusted("points.earn", ["points:write"])) == "ok"

test_untrusted_client if ask.code(ask.client("points.earn", ["points:write"])) == "not_owner"

test_customer if ask.code(ask.customer("points.earn", ["points:write", "points:adjust"])) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.customer("points.earn", []))) == "missing_role"

test_staff_from_manager if {
	every role in ["manager", "super_admin"] {
		ask.code(ask.staff(role, "points.earn", ["points:adjust"])) == "ok"
	}
}

test_staff_below_manager if ask.code(ask.staff("support", "points.earn", ["points:adjust"])) == "missing_role"

test_staff_need_their_own_scope if ask.code(ask.staff("manager", "points.earn", ["points:write"])) == "missing_scope"

test_trusted_client_needs_its_own_scope if ask.code(ask.trusted("points.earn", ["points:adjust"])) == "missing_scope"
