package pointgate.points.release

import data.pointgate.lib.roles

needed := ["points:write"]

# METADATA
# title: Release a hold
# description: >-
#   Customers give up their own holds; trusted clients and staff from manager on
#   those of any customer of their tenant.
# custom:
#   code: points.release
# scope: document
allow if input.subject.type == "customer"

allow if {
	input.subject.type == "client"
	input.context.client.trusted
}

allow if roles.at_least("manager")
