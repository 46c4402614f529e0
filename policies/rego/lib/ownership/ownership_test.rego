package pointgate.lib.ownership_test

import data.pointgate.lib.ownership
import data.pointgate.lib.sample_test as ask

test_customer_own if ownership.respected with input as ask.customer("points.read", [])

test_customer_own_id_in_another_tenant if {
	not ownership.respected with input as ask.about(ask.customer("points.read", []), "cus_alice", "other")
}

test_client_with_a_customers_id if {
	not ownership.respected with input as ask.about(ask.client("points.read", []), "cli_shop", "demo")
}

test_trusted_client_elsewhere if {
	not ownership.respected with input as ask.about(ask.trusted("points.read", []), "cus_olga", "other")
}

test_what_is_not_there if {
	every question in [
		ask.customer("points.read", []),
		ask.trusted("points.read", []),
		ask.staff("super_admin", "points.read", []),
		ask.system("points.expire"),
	] {
		not ownership.respected with input as ask.about(question, "", "")
	}
}

test_not_said_whether_it_is_named if {
	not ownership.respected with input as {"subject": {"type": "customer", "id": "cus_alice"}, "resource": {"type": "points_account"}}
}

test_nothing_named if ownership.respected with input as ask.about_nothing(ask.client("points.read", []))
