package pointgate.admin.decision

import data.pointgate.lib.roles

needed := ["audit:read"] if input.action.name in {"decision.list", "decision.read", "decision.count", "decision.prove", "decision.export"}

# METADATA
# title: Decisions
# description: >-
#   An auditor and a super_admin read the decisions of the tenant, have their
#   proofs, and export them.
# custom:
#   code: decision
# scope: document
allow if roles.has("auditor")

allow if roles.at_least("super_admin")
