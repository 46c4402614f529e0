package pointgate.admin.erasure_test

import data.pointgate.lib.sample_test as ask

_scopes := ["admin", "audit:read"]

test_super_admin if {
	every action in ["erasure.create", "erasure.list", "erasure.read"] {
		ask.code(ask.staff("super_admin", action, _scopes)) == "ok"
	}
}

test_an_auditor_only_looks if {
	every action in ["erasure.list", "erasure.read"] {
		ask.code(ask.staff("auditor", action, ["audit:read"])) == "ok"
	}
	ask.code(ask.staff("auditor", "erasure.create", _scopes)) == "missing_role"
}

test_others if {
	every role in ["viewer", "support", "manager", "policy_editor", "policy_approver"] {
		every action in ["erasure.create", "erasure.list", "erasure.read"] {
			ask.code(ask.staff(role, action, _scopes)) == "missing_role"
		}
	}
}

test_scopes if {
	ask.code(ask.staff("super_admin", "erasure.create", ["audit:read"])) == "missing_scope"
	ask.code(ask.staff("super_admin", "erasure.read", ["audit:read"])) == "ok"
	ask.code(ask.staff("super_admin", "erasure.read", ["points:read"])) == "missing_scope"
}

test_elsewhere if ask.code(ask.about(ask.staff("super_admin", "erasure.create", _scopes), "", "other")) == "not_owner"

test_trusted_client if ask.code(ask.trusted("erasure.create", _scopes)) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.about_nothing(ask.customer("erasure.create", [])))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "erasure.delete", _scopes)) == "denied"
