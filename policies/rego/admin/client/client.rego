package pointgate.admin.client

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"client.list", "client.read", "client.create", "client.update", "client.delete", "client.rotate"}

# METADATA
# title: Clients
# description: >-
#   A super_admin has the applications of the tenant, and gives them new
#   secrets; a person who is logged in on a page has those that they registered.
# custom:
#   code: client
# scope: document
allow if roles.at_least("super_admin")

allow if {
	input.subject.type in {"customer", "staff"}
	input.context.authentication.method == "session"
	input.action.name in {"client.list", "client.read", "client.update", "client.delete", "client.rotate"}
	input.resource.properties.owner == input.subject.id
}
