package pointgate.points.history

import data.pointgate.lib.note
import data.pointgate.lib.roles

needed := ["points:read"]

# METADATA
# title: Read a history
# description: >-
#   Customers read their own history; trusted clients and staff from viewer on
#   that of any customer of their tenant.
# custom:
#   code: points.history
# scope: document
allow if input.subject.type == "customer"

allow if {
	input.subject.type == "client"
	input.context.client.trusted
}

allow if roles.at_least("viewer")

obligations := note.obligations
