package pointgate.admin.signing_key_test

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

test_super_admin_on_a_page if ask.code(ask.session(ask.staff("super_admin", "signing_key.list", []))) == "ok"

test_super_admin_elsewhere if ask.code(ask.about(ask.staff("super_admin", "signing_key.list", ["admin"]), "", "other")) == "not_owner"

test_super_admin_without_scope if ask.code(ask.staff("super_admin", "signing_key.list", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("signing_key.list", ["admin"])) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.about_nothing(ask.customer("signing_key.list", [])))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "signing_key.eat", ["admin"])) == "denied"

_actions := ["signing_key.list", "signing_key.read", "signing_key.rotate", "signing_key.revoke"]
