package pointgate.admin.trail

import data.pointgate.lib.denial
import data.pointgate.lib.roles

needed := ["audit:read"] if input.action.name == "trail.read"

needed := ["admin"] if input.action.name == "trail.rotate"

# METADATA
# title: The audit trail
# description: >-
#   An auditor and a super_admin see the keys and kept checkpoints of the log. A
#   super_admin of the home tenant, whose log it is, makes a new key.
# custom:
#   code: trail
# scope: document
allow if {
	input.action.name == "trail.read"
	roles.has("auditor")
}

allow if {
	input.action.name == "trail.read"
	roles.at_least("super_admin")
}

allow if {
	input.action.name == "trail.rotate"
	input.context.tenant.home
	roles.at_least("super_admin")
}

reason := denial.denied if {
	input.action.name == "trail.rotate"
	roles.at_least("super_admin")
}
