package pointgate.points.read_test

import data.pointgate.lib.sample_test as ask

test_customer_own if ask.code(ask.customer("points.read", ["points:read"])) == "ok"

test_customer_own_on_a_page if ask.code(ask.session(ask.customer("points.read", []))) == "ok"

test_customer_anothers if ask.code(ask.about(ask.customer("points.read", ["points:read"]), "cus_bob", "demo")) == "not_owner"

test_customer_without_scope if ask.code(ask.customer("points.read", ["points:write"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("points.read", ["points:read"])) == "ok"

test_untrusted_client if ask.code(ask.client("points.read", ["points:read"])) == "not_owner"

test_staff if {
	every role in ["viewer", "support", "manager", "super_admin"] {
		ask.code(ask.staff(role, "points.read", ["points:read"])) == "ok"
	}
}

test_staff_beside_the_ladder if ask.code(ask.staff("auditor", "points.read", ["points:read"])) == "missing_role"

test_staff_elsewhere if ask.code(ask.about(ask.staff("super_admin", "points.read", ["points:read"]), "cus_olga", "other")) == "not_owner"
