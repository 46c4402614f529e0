package pointgate.points.hold

import data.pointgate.lib.roles

needed := ["points:write"]

# METADATA
# title: Hold points
# description: >-
#   Customers set aside their own points; trusted clients and staff from manager
#   on those of any customer of their tenant.
# custom:
#   code: points.hold
# scope: document
allow if input.subject.type == "customer"

allow if {
	input.subject.type == "client"
	input.context.client.trusted
}

allow if roles.at_least("manager")
