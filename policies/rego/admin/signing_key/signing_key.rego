package pointgate.admin.signing_key

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"signing_key.list", "signing_key.read", "signing_key.rotate", "signing_key.revoke"}

# METADATA
# title: Keys that sign tokens
# description: >-
#   A super_admin sees the keys that sign the tenant's tokens, has them replaced,
#   and ends one that is in wrong hands.
# custom:
#   code: signing_key
# scope: document
allow if roles.at_least("super_admin")
