package pointgate.alerts.rules.denials

import data.pointgate.alerts

# METADATA
# title: Many more denials than before
# description: >-
#   What is denied rose suddenly against the hour before: an attack, or a change
#   that shuts out those who should come in.
# custom:
#   code: denials
#   severity: medium
raised contains alert if {
	input.totals.denied >= data.alerts.denials.least
	input.before.window_s >= data.alerts.denials.known_s

	# Both sides in denials for the seconds of both windows, to stay with whole numbers.
	now := input.totals.denied * input.before.window_s
	before := input.before.denied * input.window_s
	now >= before * data.alerts.denials.times

	detail := concat("", [
		format_int(input.totals.denied, 10), " denials in ", format_int(input.window_s, 10), " seconds, after ",
		format_int(input.before.denied, 10), " in the ", format_int(input.before.window_s, 10), " seconds before.",
	])
	alert := alerts.alert(rego.metadata.rule(), "denials", detail, input.totals.decisions)
}
