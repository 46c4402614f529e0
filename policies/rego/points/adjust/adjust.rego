package pointgate.points.adjust

import data.pointgate.lib.limit
import data.pointgate.lib.note
import data.pointgate.lib.roles

needed := ["points:adjust"]

# METADATA
# title: Adjust points
# description: >-
#   Managers correct a balance up to a daily limit, super_admins without one.
# custom:
#   code: points.adjust
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
