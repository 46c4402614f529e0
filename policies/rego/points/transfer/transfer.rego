package pointgate.points.transfer

import data.pointgate.lib.ownership
import data.pointgate.lib.step_up

needed := ["points:transfer"]

# METADATA
# title: Transfer points
# description: >-
#   Customers send their own points to another customer of their tenant. Nobody
#   does it for them. For many points at once the login must be fresh:
#   data.step_up.transfer says how many, and how fresh.
# custom:
#   code: points.transfer
# scope: document
allow if {
	input.subject.type == "customer"
	_recipient_here
	_login_suffices
}

reason := ownership.not_owner if not _recipient_here

else := step_up.reason(data.step_up.transfer) if {
	input.subject.type == "customer"
	not _login_suffices
}

# The input named nobody: the gate refuses it after an allow.
_recipient_here if not input.context.facts.recipient_tenant

_recipient_here if input.context.facts.recipient_tenant == input.context.tenant.id

# The amount was not understood: likewise.
_login_suffices if not input.context.facts.points

_login_suffices if input.context.facts.points < data.step_up.transfer.points

_login_suffices if step_up.suffices(data.step_up.transfer)
