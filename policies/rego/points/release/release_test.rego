package pointgate.points.release_test

import data.pointgate.lib.sample_test as ask

test_customer_own if ask.code(ask.customer("points.release", ["points:write"])) == "ok"

test_customer_own_on_a_page if ask.code(ask.session(ask.customer("points.release", []))) == "ok"

test_customer_anothers if ask.code(ask.about(ask.customer("points.release", ["points:write"]), "cus_bob", "demo")) == "not_owner"

test_customer_without_scope if ask.code(ask.customer("points.release", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("points.release", ["points:write"])) == "ok"

test_untrusted_client if ask.code(ask.client("points.release", ["points:write"])) == "not_owner"

test_staff_from_manager if {
	every role in ["manager", "super_admin"] {
		ask.code(ask.staff(role, "points.release", ["points:write"])) == "ok"
	}
}

test_staff_below_manager if {
	every role in ["viewer", "support", "auditor"] {
		ask.code(ask.staff(role, "points.release", ["points:write"])) == "missing_role"
	}
}

test_staff_elsewhere if ask.code(ask.about(ask.staff("manager", "points.release", ["points:write"]), "cus_olga", "other")) == "not_owner"
