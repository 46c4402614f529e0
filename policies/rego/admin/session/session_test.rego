package pointgate.admin.session_test

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

test_super_admin_on_a_page if ask.code(ask.session(ask.staff("super_admin", "session.list", []))) == "ok"

test_super_admin_elsewhere if ask.code(ask.about(ask.staff("super_admin", "session.list", ["admin"]), "", "other")) == "not_owner"

test_super_admin_without_scope if ask.code(ask.staff("super_admin", "session.list", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("session.list", ["admin"])) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.about_nothing(ask.customer("session.list", [])))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "session.eat", ["admin"])) == "denied"

test_customer_own_on_a_page if ask.code(ask.session(ask.customer("session.revoke", []))) == "ok"

test_customer_own_by_token if ask.code(ask.customer("session.revoke", ["admin"])) == "missing_role"

test_customer_anothers if ask.code(ask.session(ask.about(ask.customer("session.revoke", []), "cus_bob", "demo"))) == "not_owner"

test_staff_own_on_a_page if ask.code(ask.session(ask.about(ask.staff("viewer", "session.revoke", []), "stf_kim", "demo"))) == "ok"

test_staff_anothers if ask.code(ask.session(ask.staff("viewer", "session.revoke", []))) == "missing_role"

_actions := ["session.list", "session.read", "session.revoke"]
