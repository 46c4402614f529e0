package pointgate.points.transfer_test

import data.pointgate
import data.pointgate.lib.sample_test as ask

test_customer_to_a_customer_here if ask.code(ask.with_facts(_own, {"recipient_tenant": "demo"})) == "ok"

test_customer_to_another_tenant if ask.code(ask.with_facts(_own, {"recipient_tenant": "other"})) == "not_owner"

test_customer_to_nobody if ask.code(ask.with_facts(_own, {"recipient_tenant": ""})) == "not_owner"

test_customer_names_no_recipient if ask.code(_own) == "ok"

test_customer_from_anothers if ask.code(ask.about(_own, "cus_bob", "demo")) == "not_owner"

test_customer_without_scope if ask.code(ask.customer("points.transfer", ["points:write"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("points.transfer", ["points:transfer"])) == "missing_role"

test_staff if ask.code(ask.staff("super_admin", "points.transfer", ["points:transfer"])) == "missing_role"

test_few_points_by_an_old_login if {
	ask.code(ask.logged_in(_of(499), 86400, "1fa")) == "ok"
	ask.code(ask.logged_in(_of(500), 86400, "1fa")) == "insufficient_user_authentication"
}

test_many_points_by_a_fresh_login if {
	ask.code(ask.logged_in(_of(500), 300, "1fa")) == "ok"
	ask.code(ask.logged_in(_of(1000000000), 300, "1fa")) == "ok"
	ask.code(ask.logged_in(_of(500), 301, "1fa")) == "insufficient_user_authentication"
}

test_many_points_by_no_login if {
	ask.code(_of(499)) == "ok"
	ask.code(_of(500)) == "insufficient_user_authentication"
}

# Another login would not help these.
test_the_login_is_asked_for_last if {
	stale := ask.logged_in(_of(500), 301, "1fa")
	ask.code(ask.about(stale, "cus_bob", "demo")) == "not_owner"
	ask.code(ask.with_facts(stale, {"recipient_tenant": "other"})) == "not_owner"
	ask.code(ask.with_facts(ask.trusted("points.transfer", ["points:transfer"]), {"points": 500})) == "missing_role"
	ask.code(ask.with_facts(ask.staff("super_admin", "points.transfer", ["points:transfer"]), {"points": 500})) == "missing_role"
}

test_missing_numbers_are_no_leave if {
	every numbers in [{}, {"transfer": {}}, {"transfer": {"points": 500}}, {"transfer": {"max_age_s": 300}}] {
		code := pointgate.decision.code with input as ask.logged_in(_of(500), 301, "1fa") with data.step_up as numbers
		code in {"insufficient_user_authentication", "missing_role"}
	}
}

_of(points) := ask.with_facts(_own, {"points": points, "recipient_tenant": "demo"})

_own := ask.customer("points.transfer", ["points:transfer"])
