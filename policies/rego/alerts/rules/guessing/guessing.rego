package pointgate.alerts.rules.guessing

import data.pointgate.alerts

# METADATA
# title: Somebody guesses passwords or one-time codes
# description: >-
#   Many attempts to sign in failed: for one account, or from one address.
# custom:
#   code: guessing
#   severity: high
raised contains alert if {
	some kind, targets in {"account": _by_account, "address": _by_address}
	some target, indexes in targets
	failed := sum([input.groups[i].count | some i in indexes])
	failed >= data.alerts.guessing[kind]
	detail := concat("", [format_int(failed, 10), " attempts to sign in failed, of ", kind, " ", target, "."])
	ids := {id | some i in indexes; some id in input.groups[i].decisions}
	alert := alerts.alert(rego.metadata.rule(), concat(" ", [kind, target]), detail, ids)
}

_by_account[group.resource] contains i if {
	some i in _failed
	group := input.groups[i]
	group.resource != ""
}

_by_address[group.ip] contains i if {
	some i in _failed
	group := input.groups[i]
	group.ip != ""
}

_failed contains i if {
	some action in data.alerts.guessing.actions
	some i in input.by_action[action]
	not input.groups[i].allow
}
