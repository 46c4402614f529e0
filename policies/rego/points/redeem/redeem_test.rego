package pointgate.points.redeem_test

import data.pointgate.lib.sample_test as ask

test_customer_own if ask.code(ask.customer("points.redeem", ["points:write"])) == "ok"

test_customer_own_on_a_page if ask.code(ask.session(ask.customer("points.redeem", []))) == "ok"

test_customer_anothers if ask.code(ask.about(ask.customer("points.redeem", ["points:write"]), "cus_bob", "demo")) == "not_owner"

test_customer_without_scope if ask.code(ask.customer("points.redeem", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("points.redeem", ["points:write"])) == "ok"

test_untrusted_client if ask.code(ask.client("points.redeem", ["points:write"])) == "not_owner"

test_staff_from_manager if {
	every role in ["manager", "super_admin"] {
		ask.code(ask.staff(role, "points.redeem", ["points:write"])) == "ok"
	}
}

test_staff_below_manager if {
	every role in ["viewer", "support", "auditor"] {
		ask.code(ask.staff(role, "points.redeem", ["points:write"])) == "missing_role"
	}
}

test_staff_elsewhere if ask.code(ask.about(ask.staff("manager", "points.redeem", ["points:write"]), "cus_olga", "other")) == "not_owner"
