package pointgate.admin.tenant

import data.pointgate.lib.denial
import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"tenant.list", "tenant.read", "tenant.create", "tenant.update", "tenant.delete"}

# METADATA
# title: Tenants
# description: >-
#   A super_admin has the own tenant; one of the home tenant makes new ones.
# custom:
#   code: tenant
# scope: document
allow if {
	input.action.name in {"tenant.list", "tenant.read", "tenant.update", "tenant.delete"}
	roles.at_least("super_admin")
}

allow if {
	input.action.name == "tenant.create"
	input.context.tenant.home
	roles.at_least("super_admin")
}

reason := denial.denied if {
	input.action.name == "tenant.create"
	roles.at_least("super_admin")
}
