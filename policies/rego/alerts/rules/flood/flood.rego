package pointgate.alerts.rules.flood

import data.pointgate.alerts

# METADATA
# title: More different denials than can be told apart
# description: >-
#   So much was denied, for so many callers, that the rules did not see all of
#   it. Something may hide in the crowd: search the decisions.
# custom:
#   code: flood
#   severity: medium
raised contains alert if {
	input.dropped.denied >= data.alerts.flood.denied
	detail := concat("", [
		format_int(input.dropped.denied, 10), " of ", format_int(input.totals.denied, 10),
		" denials were counted without being looked at.",
	])
	alert := alerts.alert(rego.metadata.rule(), "flood", detail, input.totals.decisions)
}
