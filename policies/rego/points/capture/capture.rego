package pointgate.points.capture

import data.pointgate.lib.note
import data.pointgate.lib.roles

needed := ["points:write"]

# METADATA
# title: Capture a hold
# description: >-
#   Customers take what their own holds set aside; trusted clients and staff
#   from manager on that of any customer of their tenant.
# custom:
#   code: points.capture
# scope: document
allow if input.subject.type == "customer"

allow if {
	input.subject.type == "client"
	input.context.client.trusted
}

allow if roles.at_least("manager")

obligations := note.obligations
