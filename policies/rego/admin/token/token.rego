package pointgate.admin.token

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"token.list", "token.read", "token.create", "token.revoke"}

# METADATA
# title: API tokens
# description: >-
#   A super_admin has the API tokens of the tenant's staff.
# custom:
#   code: token
# scope: document
allow if roles.at_least("super_admin")
