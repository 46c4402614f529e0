package pointgate.admin.decision_test

import data.pointgate.lib.sample_test as ask

test_readers if {
	every role in ["auditor", "super_admin"] {
		every action in ["decision.list", "decision.read", "decision.count", "decision.prove", "decision.export"] {
			ask.code(ask.staff(role, action, ["audit:read"])) == "ok"
		}
	}
}

test_others if {
	every role in ["viewer", "manager", "policy_editor", "policy_approver"] {
		ask.code(ask.staff(role, "decision.read", ["audit:read"])) == "missing_role"
	}
}

test_others_get_no_proof if {
	every role in ["viewer", "manager", "policy_editor", "policy_approver"] {
		ask.code(ask.staff(role, "decision.prove", ["audit:read"])) == "missing_role"
	}
}

test_auditor_without_scope if ask.code(ask.staff("auditor", "decision.read", ["points:read"])) == "missing_scope"

test_auditor_elsewhere if ask.code(ask.about(ask.staff("auditor", "decision.read", ["audit:read"]), "", "other")) == "not_owner"

test_trusted_client if ask.code(ask.trusted("decision.read", ["audit:read"])) == "missing_role"

test_no_other_verb if ask.code(ask.staff("auditor", "decision.delete", ["audit:read"])) == "denied"

test_whole_exports_are_for_the_same_people if {
	ask.code(ask.staff("manager", "decision.export", ["audit:read"])) == "missing_role"
	ask.code(ask.staff("auditor", "decision.export", ["admin"])) == "missing_scope"
}

test_counts_are_for_the_same_people if {
	ask.code(ask.staff("manager", "decision.count", ["audit:read"])) == "missing_role"
	ask.code(ask.staff("auditor", "decision.count", ["admin"])) == "missing_scope"
}
