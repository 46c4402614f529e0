package pointgate.admin.alert

import data.pointgate.lib.roles

needed := ["audit:read", "policy:read"] if input.action.name in {"alert.list", "alert.read"}

needed := ["admin", "policy:write"] if input.action.name == "alert.update"

# METADATA
# title: Alerts
# description: >-
#   A super_admin, and who writes or approves policies, read the alerts of the
#   tenant, acknowledge and close them; an auditor reads them.
# custom:
#   code: alert
# scope: document
allow if roles.at_least("super_admin")

allow if roles.has("policy_editor")

allow if roles.has("policy_approver")

allow if {
	input.action.name in {"alert.list", "alert.read"}
	roles.has("auditor")
}
