package pointgate.admin.registration_token

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"registration_token.list", "registration_token.read", "registration_token.create", "registration_token.revoke"}

# METADATA
# title: Registration tokens
# description: >-
#   A super_admin has the tokens with which clients of the tenant register themselves.
# custom:
#   code: registration_token
# scope: document
allow if roles.at_least("super_admin")
