package pointgate.alerts.rules.emergency

import data.pointgate.alerts

# METADATA
# title: The policy was changed as an emergency
# description: >-
#   Somebody went round the approval of a second person. That is allowed, and
#   somebody else has to look at it afterwards.
# custom:
#   code: emergency
#   severity: critical
raised contains alert if {
	some subject, ids in _decisions
	detail := concat("", [subject, " changed the policy, or tried to, without an approval."])
	alert := alerts.alert(rego.metadata.rule(), subject, detail, ids)
}

_decisions[group.subject] contains id if {
	some i in input.by_action["policy.emergency"]
	group := input.groups[i]
	group.subject != ""
	some id in group.decisions
}
