package pointgate.admin.grant

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"grant.list", "grant.read", "grant.revoke"}

# METADATA
# title: Grants
# description: >-
#   A super_admin has the authorizations of the tenant; a person who is logged
#   in has those that they gave.
# custom:
#   code: grant
# scope: document
allow if roles.at_least("super_admin")

allow if {
	input.subject.type in {"customer", "staff"}
	input.context.authentication.method == "session"
	input.resource.properties.owner == input.subject.id
}
