package pointgate.alerts.rules.reuse

import data.pointgate.alerts

# METADATA
# title: A code or refresh token was used twice
# description: >-
#   It is in two hands, one of which stole it. Its grant was revoked; the person
#   has to consent anew, and the client should be looked at.
# custom:
#   code: reuse
#   severity: high
raised contains alert if {
	some subject_and_client, ids in _decisions
	[subject, client] := split(subject_and_client, " ")
	detail := concat("", ["A credential of ", client, " for ", subject, " was shown again after its use."])
	alert := alerts.alert(rego.metadata.rule(), subject_and_client, detail, ids)
}

_decisions[concat(" ", [group.subject, group.client])] contains id if {
	some i in input.by_action["token.reuse"]
	group := input.groups[i]
	some id in group.decisions
}
