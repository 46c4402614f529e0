package pointgate.points.read

import data.pointgate.lib.roles

needed := ["points:read"]

# METADATA
# title: Read a balance
# description: >-
#   Customers read their own balance; trusted clients and staff from viewer on
#   that of any customer of their tenant.
# custom:
#   code: points.read
# scope: document
allow if input.subject.type == "customer"

allow if {
	input.subject.type == "client"
	input.context.client.trusted
}

allow if roles.at_least("viewer")
