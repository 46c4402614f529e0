package pointgate.admin.grant_test

import data.pointgate.lib.sample_test as ask

test_super_admin if {
	every action in _actions {
		ask.code(ask.staff("super_admin", action, ["admin"])) == "ok"
	}
}

test_manager if {
	every action in _actions {
		ask.code(ask.staff("manager", action, ["admin"])) == "missing_role"
	}
}

test_super_admin_on_a_page if ask.code(ask.session(ask.staff("super_admin", "grant.list", []))) == "ok"

test_super_admin_elsewhere if ask.code(ask.about(ask.staff("super_admin", "grant.list", ["admin"]), "", "other")) == "not_owner"

test_super_admin_without_scope if ask.code(ask.staff("super_admin", "grant.list", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("grant.list", ["admin"])) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.about_nothing(ask.customer("grant.list", [])))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "grant.eat", ["admin"])) == "denied"

test_customer_own_on_a_page if ask.code(ask.session(ask.customer("grant.revoke", []))) == "ok"

test_customer_own_by_token if ask.code(ask.customer("grant.revoke", ["admin"])) == "missing_role"

test_customer_anothers if ask.code(ask.session(ask.about(ask.customer("grant.revoke", []), "cus_bob", "demo"))) == "not_owner"

test_staff_own_on_a_page if ask.code(ask.session(ask.about(ask.staff("viewer", "grant.revoke", []), "stf_kim", "demo"))) == "ok"

test_staff_anothers if ask.code(ask.session(ask.staff("viewer", "grant.revoke", []))) == "missing_role"

_actions := ["grant.list", "grant.read", "grant.revoke"]
