package pointgate.admin.token

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"token.list", "token.read", "token.create", "token.revoke"}

# METADATA
# title: API tokens
# description: >-
#   A super_admin has the API tokens of the tenant's staff; a member of staff
#   who is logged in on a page lists, makes and revokes their own.
# custom:
#   code: token
# scope: document
allow if roles.at_least("super_admin")

allow if {
	input.action.name in {"token.list", "token.create", "token.revoke"}
	input.subject.type == "staff"
	input.context.authentication.method == "session"
	input.resource.properties.owner == input.subject.id
}
