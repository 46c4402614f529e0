package pointgate.alerts.rules.enumeration

import data.pointgate.alerts

# METADATA
# title: One caller tries what belongs to others
# description: >-
#   A subject was refused on several different things that are not its own.
# custom:
#   code: enumeration
#   severity: high
raised contains alert if {
	some subject, things in _tried
	count(things) >= data.alerts.enumeration.resources
	detail := concat("", [subject, " was refused on ", format_int(count(things), 10), " things that belong to others."])
	alert := alerts.alert(rego.metadata.rule(), subject, detail, _decisions[subject])
}

_tried[group.subject] contains group.resource if {
	some i in _refused
	group := input.groups[i]
}

_decisions[group.subject] contains id if {
	some i in _refused
	group := input.groups[i]
	some id in group.decisions
}

_refused contains i if {
	some i in input.by_code.not_owner
	input.groups[i].subject != ""
}
