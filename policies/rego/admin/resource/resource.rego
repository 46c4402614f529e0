package pointgate.admin.resource

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"resource.list", "resource.read", "resource.create", "resource.update", "resource.delete"}

# METADATA
# title: Resources
# description: >-
#   A super_admin has the servers of the tenant that tokens can be for.
# custom:
#   code: resource
# scope: document
allow if roles.at_least("super_admin")
