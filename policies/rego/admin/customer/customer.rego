package pointgate.admin.customer

import data.pointgate.lib.roles

needed := ["admin"] if input.action.name in {"customer.list", "customer.read", "customer.create", "customer.update", "customer.delete"}

# METADATA
# title: Customers
# description: >-
#   A super_admin has the customers of the tenant.
# custom:
#   code: customer
# scope: document
allow if roles.at_least("super_admin")
