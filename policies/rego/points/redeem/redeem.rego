package pointgate.points.redeem

import data.pointgate.lib.note
import data.pointgate.lib.roles

needed := ["points:write"]

# METADATA
# title: Redeem points
# description: >-
#   Customers redeem their own points; trusted clients and staff from manager on
#   those of any customer of their tenant.
# custom:
#   code: points.redeem
# scope: document
allow if input.subject.type == "customer"

allow if {
	input.subject.type == "client"
	input.context.client.trusted
}

allow if roles.at_least("manager")

obligations := note.obligations
