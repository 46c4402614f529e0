package pointgate.admin.tenant_test

import data.pointgate
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

test_super_admin_on_a_page if ask.code(ask.session(ask.staff("super_admin", "tenant.list", []))) == "ok"

test_super_admin_elsewhere if ask.code(ask.about(ask.staff("super_admin", "tenant.list", ["admin"]), "", "other")) == "not_owner"

test_super_admin_without_scope if ask.code(ask.staff("super_admin", "tenant.list", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("tenant.list", ["admin"])) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.about_nothing(ask.customer("tenant.list", [])))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "tenant.eat", ["admin"])) == "denied"

test_no_tenant_is_made_away_from_home if {
	pointgate.decision.code == "denied" with input as _create
		with input.context.tenant.home as false
}

test_manager_makes_none_either if {
	pointgate.decision.code == "missing_role" with input as ask.staff("manager", "tenant.create", ["admin"])
		with input.context.tenant.home as false
}

_create := ask.staff("super_admin", "tenant.create", ["admin"])

_actions := ["tenant.list", "tenant.read", "tenant.create", "tenant.update", "tenant.delete"]
