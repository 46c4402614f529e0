package pointgate.oauth.consent.grant

import data.pointgate.lib.registration

needed := []

# METADATA
# title: Consent
# description: >-
#   A person who is signed in lets a client do what it was registered for.
# custom:
#   code: consent.grant
# scope: document
allow if {
	input.subject.type in {"customer", "staff"}
	input.context.authentication.method == "session"
	input.resource.properties.owner == input.subject.id
	registration.respected
}
