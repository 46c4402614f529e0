package pointgate.admin.key

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"key.list", "key.read", "key.create", "key.update", "key.revoke"}

# METADATA
# title: API keys
# description: >-
#   A super_admin has the API keys of the tenant's clients.
# custom:
#   code: key
# scope: document
allow if roles.at_least("super_admin")
