package pointgate.oauth.consent.grant

import data.pointgate.lib.registration

needed := []

# METADATA
# title: Consent
# description: >-
#   A person who is signed in lets a client do what it was registered for. To a
#   client that an administrator did not register, members of staff tell who they
#   are, and no more: the same scope reaches all customers in their hands.
# custom:
#   code: consent.grant
# scope: document
allow if {
	input.subject.type in {"customer", "staff"}
	input.context.authentication.method == "session"
	input.resource.properties.owner == input.subject.id
	registration.respected
	_harmless
}

_harmless if input.subject.type == "customer"

_harmless if input.context.facts.client_registered_by == "admin"

_harmless if {
	every scope in input.context.scopes {
		scope in {"openid", "email", "profile", "offline_access"}
	}
}
