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

test_a_developer if {
	every action in _own {
		ask.code(ask.session(ask.customer(action, []))) == "ok"
		ask.code(ask.session(ask.about(ask.staff("viewer", action, []), "stf_kim", "demo"))) == "ok"
	}
}

test_the_client_of_another if {
	every action in _own {
		ask.code(ask.session(ask.about(ask.customer(action, []), "cus_bob", "demo"))) == "not_owner"
		ask.code(ask.session(ask.about(ask.staff("viewer", action, []), "cus_bob", "demo"))) == "missing_role"
	}
}

test_a_developer_by_a_token if {
	every action in _own {
		ask.code(ask.customer(action, ["admin"])) == "missing_role"
	}
}

test_no_client_without_registration if ask.code(ask.session(ask.customer("client.create", []))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "client.eat", ["admin"])) == "denied"

_actions := ["client.list", "client.read", "client.create", "client.update", "client.delete", "client.rotate"]

_own := ["client.list", "client.read", "client.update", "client.delete", "client.rotate"]
