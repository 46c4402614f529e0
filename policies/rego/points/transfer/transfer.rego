package pointgate.points.transfer

import data.pointgate.lib.ownership

needed := ["points:transfer"]

# METADATA
# title: Transfer points
# description: >-
#   Customers send their own points to another customer of their tenant. Nobody
#   does it for them.
# custom:
#   code: points.transfer
# scope: document
allow if {
	input.subject.type == "customer"
	_recipient_here
}

reason := ownership.not_owner if not _recipient_here

# The input named nobody: the gate refuses it after an allow.
_recipient_here if not input.context.facts.recipient_tenant

_recipient_here if input.context.facts.recipient_tenant == input.context.tenant.id
