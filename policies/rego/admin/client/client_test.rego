package pointgate.admin.client_test

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

test_super_admin_on_a_page if ask.code(ask.session(ask.staff("super_admin", "client.list", []))) == "ok"

test_super_admin_elsewhere if ask.code(ask.about(ask.staff("super_admin", "client.list", ["admin"]), "", "other")) == "not_owner"

test_super_admin_without_scope if ask.code(ask.staff("super_admin", "client.list", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("client.list", ["admin"])) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.about_nothing(ask.customer("client.list", [])))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "client.eat", ["admin"])) == "denied"

_actions := ["client.list", "client.read", "client.create", "client.update", "client.delete", "client.rotate"]
