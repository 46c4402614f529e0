package pointgate.admin.erasure

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name == "erasure.create"

needed := ["admin", "audit:read"] if input.action.name in {"erasure.list", "erasure.read"}

# METADATA
# title: Erasures
# description: >-
#   A super_admin has a person's records of the tenant emptied; an auditor sees
#   that it was asked for, and how far it has come.
# custom:
#   code: erasure
# scope: document
allow if roles.at_least("super_admin")

allow if {
	input.action.name in {"erasure.list", "erasure.read"}
	roles.has("auditor")
}
