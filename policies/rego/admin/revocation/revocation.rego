package pointgate.admin.revocation

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name == "revocation.create"

# METADATA
# title: Revocations
# description: >-
#   A super_admin revokes many authorizations of the tenant at once.
# custom:
#   code: revocation
# scope: document
allow if roles.at_least("super_admin")
