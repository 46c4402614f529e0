package pointgate.admin.registration_token_test

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

test_super_admin_on_a_page if ask.code(ask.session(ask.staff("super_admin", "registration_token.list", []))) == "ok"

test_super_admin_elsewhere if ask.code(ask.about(ask.staff("super_admin", "registration_token.list", ["admin"]), "", "other")) == "not_owner"

test_super_admin_without_scope if ask.code(ask.staff("super_admin", "registration_token.list", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("registration_token.list", ["admin"])) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.about_nothing(ask.customer("registration_token.list", [])))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "registration_token.eat", ["admin"])) == "denied"

_actions := ["registration_token.list", "registration_token.read", "registration_token.create", "registration_token.revoke"]
