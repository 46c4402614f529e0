package pointgate.lib.roles_test

import data.pointgate.lib.roles
import data.pointgate.lib.sample_test as ask

test_at_least if {
	roles.at_least("support") with input as ask.staff("support", "points.read", [])
	roles.at_least("support") with input as ask.staff("manager", "points.read", [])
	not roles.at_least("support") with input as ask.staff("viewer", "points.read", [])
}

test_beside_the_ladder if {
	not roles.at_least("viewer") with input as ask.staff("auditor", "points.read", [])
	roles.has("auditor") with input as ask.staff("auditor", "points.read", [])
}

test_the_best_of_several if {
	roles.at_least("manager") with input as ask.staff("auditor", "points.read", [])
		with input.subject.properties.roles as ["auditor", "manager", "viewer"]
}

test_not_in_the_table if not roles.at_least("viewer") with input as ask.staff("root", "points.read", [])

test_only_staff_have_roles if {
	every type in ["customer", "client", "system", "anonymous"] {
		not roles.at_least("viewer") with input as ask.staff("manager", "points.read", []) with input.subject.type as type
		not roles.has("manager") with input as ask.staff("manager", "points.read", []) with input.subject.type as type
	}
}
