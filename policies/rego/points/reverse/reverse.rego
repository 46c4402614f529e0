package pointgate.points.reverse

import data.pointgate.lib.limit
import data.pointgate.lib.note
import data.pointgate.lib.roles

needed := ["points:adjust"]

# METADATA
# title: Reverse a transaction
# description: >-
#   Managers take back a ledger line up to the daily limit on adjustments,
#   super_admins without one.
# custom:
#   code: points.reverse
# scope: document
allow if {
	roles.at_least("manager")
	limit.within
}

reason := limit.over_daily_limit if {
	roles.at_least("manager")
	not limit.within
}

obligations := object.union(limit.obligations, note.obligations)
