package pointgate.admin.trail_test

import data.pointgate
import data.pointgate.lib.sample_test as ask

test_readers if {
	every role in ["auditor", "super_admin"] {
		ask.code(ask.staff(role, "trail.read", ["audit:read"])) == "ok"
	}
}

test_others_do_not_read if {
	every role in ["viewer", "manager", "policy_editor", "policy_approver"] {
		ask.code(ask.staff(role, "trail.read", ["audit:read"])) == "missing_role"
	}
}

test_reader_without_scope if ask.code(ask.staff("auditor", "trail.read", ["admin"])) == "missing_scope"

test_super_admin_rotates if ask.code(ask.staff("super_admin", "trail.rotate", ["admin"])) == "ok"

test_super_admin_without_scope if ask.code(ask.staff("super_admin", "trail.rotate", ["audit:read"])) == "missing_scope"

test_others_do_not_rotate if {
	every role in ["auditor", "viewer", "manager", "policy_editor", "policy_approver"] {
		ask.code(ask.staff(role, "trail.rotate", ["admin"])) == "missing_role"
	}
}

test_nobody_rotates_away_from_home if {
	pointgate.decision.code == "denied" with input as ask.staff("super_admin", "trail.rotate", ["admin"])
		with input.context.tenant.home as false
}

test_manager_away_from_home if {
	pointgate.decision.code == "missing_role" with input as ask.staff("manager", "trail.rotate", ["admin"])
		with input.context.tenant.home as false
}

test_elsewhere if ask.code(ask.about(ask.staff("super_admin", "trail.read", ["audit:read"]), "", "other")) == "not_owner"

test_trusted_client if ask.code(ask.trusted("trail.read", ["audit:read"])) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "trail.erase", ["admin"])) == "denied"
