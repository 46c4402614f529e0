package pointgate.admin.alert_test

import data.pointgate.lib.sample_test as ask

_scopes := ["admin", "audit:read", "policy:read", "policy:write"]

test_readers if {
	every role in ["auditor", "policy_editor", "policy_approver", "super_admin"] {
		every action in ["alert.list", "alert.read"] {
			ask.code(ask.staff(role, action, _scopes)) == "ok"
		}
	}
}

test_who_closes if {
	every role in ["policy_editor", "policy_approver", "super_admin"] {
		ask.code(ask.staff(role, "alert.update", _scopes)) == "ok"
	}
}

test_an_auditor_changes_nothing if ask.code(ask.staff("auditor", "alert.update", _scopes)) == "missing_role"

test_others if {
	every role in ["viewer", "support", "manager"] {
		every action in ["alert.list", "alert.read", "alert.update"] {
			ask.code(ask.staff(role, action, _scopes)) == "missing_role"
		}
	}
}

test_scopes if {
	ask.code(ask.staff("super_admin", "alert.read", ["admin"])) == "missing_scope"
	ask.code(ask.staff("super_admin", "alert.read", ["audit:read"])) == "ok"
	ask.code(ask.staff("super_admin", "alert.update", ["audit:read"])) == "missing_scope"
	ask.code(ask.staff("policy_editor", "alert.read", ["policy:read"])) == "ok"
	ask.code(ask.staff("policy_editor", "alert.update", ["policy:read"])) == "missing_scope"
}

test_elsewhere if ask.code(ask.about(ask.staff("super_admin", "alert.read", ["audit:read"]), "", "other")) == "not_owner"

test_trusted_client if ask.code(ask.trusted("alert.list", ["audit:read"])) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "alert.delete", _scopes)) == "denied"
