package pointgate.alerts.rules.redemptions

import data.pointgate.alerts

# METADATA
# title: A burst of redemptions on one account
# description: >-
#   Points of one account were redeemed many times in a few minutes: it may be in
#   other hands than its owner's.
# custom:
#   code: redemptions
#   severity: high
raised contains alert if {
	some account, indexes in _redeemed
	times := sum([input.groups[i].count | some i in indexes])
	times >= data.alerts.redemptions.times
	detail := concat("", ["Points of ", account, " were redeemed ", format_int(times, 10), " times."])
	ids := {id | some i in indexes; some id in input.groups[i].decisions}
	alert := alerts.alert(rego.metadata.rule(), account, detail, ids)
}

_redeemed[group.resource] contains i if {
	some i in input.by_action["points.redeem"]
	group := input.groups[i]
	group.allow
	group.code == "ok"
}
