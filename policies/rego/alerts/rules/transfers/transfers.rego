package pointgate.alerts.rules.transfers

import data.pointgate.alerts

# METADATA
# title: Many transfers into one account
# description: >-
#   One account got points from many transfers in a few minutes: it may collect
#   what was taken from others.
# custom:
#   code: transfers
#   severity: high
raised contains alert if {
	some receiver, indexes in _received
	times := sum([input.groups[i].count | some i in indexes])
	times >= data.alerts.transfers.times
	senders := {input.groups[i].resource | some i in indexes}
	detail := concat("", [
		receiver, " received ", format_int(times, 10), " transfers, from ", format_int(count(senders), 10), " accounts.",
	])
	ids := {id | some i in indexes; some id in input.groups[i].decisions}
	alert := alerts.alert(rego.metadata.rule(), receiver, detail, ids)
}

_received[group.related] contains i if {
	some i in input.by_action["points.transfer"]
	group := input.groups[i]
	group.allow
	group.code == "ok"
	group.related != ""
}
