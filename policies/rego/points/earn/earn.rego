package pointgate.points.earn

import data.pointgate.lib.note
import data.pointgate.lib.roles

needed := ["points:adjust"] if input.subject.type == "staff"

else := ["points:write"]

# METADATA
# title: Earn points
# description: >-
#   Trusted clients and staff from manager on give points to any customer of
#   their tenant. Nobody gives points to themselves.
# custom:
#   code: points.earn
# scope: document
allow if {
	input.subject.type == "client"
	input.context.client.trusted
}

allow if roles.at_least("manager")

obligations := note.obligations
