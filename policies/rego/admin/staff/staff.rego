package pointgate.admin.staff

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"staff.list", "staff.read", "staff.create", "staff.update", "staff.delete"}

# METADATA
# title: Staff
# description: >-
#   A super_admin has the staff of the tenant, and their roles.
# custom:
#   code: staff
# scope: document
allow if roles.at_least("super_admin")
