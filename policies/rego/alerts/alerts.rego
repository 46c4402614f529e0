# METADATA
# title: Alerts
# description: >-
#   What is worth a person's look in the last minutes of the log of one tenant.
#   Each folder under rules is one rule, found by its path: it says `raised`, a
#   set of alerts. Rules here see another input than those that decide, and
#   neither sees the other's documents.
package pointgate.alerts

# METADATA
# title: Raised
# description: All alerts of all rules.
# entrypoint: true
raised contains alert if {
	some rule
	some found in data.pointgate.alerts.rules[rule].raised
	alert := object.union(found, {"rule": rule})
}

# A rule's alert is made of its METADATA, so that text and document can't drift
# apart, and of what was found: the key that tells this from other alerts of the
# rule, what happened, and the ids of decisions that show it.
alert(annotations, key, detail, decisions) := {
	"key": key,
	"severity": annotations.custom.severity,
	"title": annotations.title,
	"detail": detail,
	"decisions": decisions,
}
