package pointgate.admin.token_test

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

test_super_admin_on_a_page if ask.code(ask.session(ask.staff("super_admin", "token.list", []))) == "ok"

test_super_admin_elsewhere if ask.code(ask.about(ask.staff("super_admin", "token.list", ["admin"]), "", "other")) == "not_owner"

test_super_admin_without_scope if ask.code(ask.staff("super_admin", "token.list", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("token.list", ["admin"])) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.about_nothing(ask.customer("token.list", [])))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "token.eat", ["admin"])) == "denied"

test_staff_own_on_a_page if {
	every action in ["token.list", "token.create", "token.revoke"] {
		ask.code(ask.session(ask.about(ask.staff("viewer", action, []), "stf_kim", "demo"))) == "ok"
	}
}

test_staff_own_by_token if ask.code(ask.about(ask.staff("viewer", "token.create", ["admin"]), "stf_kim", "demo")) == "missing_role"

test_staff_anothers if ask.code(ask.session(ask.about(ask.staff("viewer", "token.revoke", []), "stf_lee", "demo"))) == "missing_role"

test_staff_unnamed if ask.code(ask.session(ask.about_nothing(ask.staff("viewer", "token.create", [])))) == "missing_role"

test_customer_own_on_a_page if {
	every action in _actions {
		ask.code(ask.session(ask.customer(action, []))) == "missing_role"
	}
}

_actions := ["token.list", "token.read", "token.create", "token.revoke"]
