package pointgate.alerts.rules.verification

import data.pointgate.alerts

# METADATA
# title: The audit trail does not verify
# description: >-
#   Records are not what was recorded, or are missing. Keep the database and the
#   published checkpoints as they are, and run pointgate audit verify. Or more old
#   records than usual are about to be emptied (trail.hold): look at the clock.
# custom:
#   code: verification
#   severity: critical
raised contains alert if {
	count(_decisions) > 0
	alert := alerts.alert(rego.metadata.rule(), "trail", "A verification of the audit trail failed, the database is not the one that was published, or the clock jumped.", _decisions)
}

_decisions contains id if {
	some action in {"trail.verify", "trail.rollback", "trail.fork", "trail.hold"}
	some i in input.by_action[action]
	group := input.groups[i]
	not group.allow
	some id in group.decisions
}
