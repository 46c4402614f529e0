package pointgate.admin.session

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"session.list", "session.read", "session.revoke"}

# METADATA
# title: Sessions
# description: >-
#   A super_admin has the sessions of the tenant; a person who is logged in has
#   their own.
# custom:
#   code: session
# scope: document
allow if roles.at_least("super_admin")

allow if {
	input.subject.type in {"customer", "staff"}
	input.context.authentication.method == "session"
	input.resource.properties.owner == input.subject.id
}
