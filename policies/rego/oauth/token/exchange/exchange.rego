package pointgate.oauth.token.exchange

import data.pointgate.lib.denial
import data.pointgate.lib.registration

needed := []

# METADATA
# title: Exchange a token
# description: >-
#   A service acts for a customer by a token that was issued to it, or for a
#   resource that it serves, within what that token and its own registration
#   allow.
# custom:
#   code: token.exchange
# scope: document
allow if {
	input.subject.type == "customer"
	input.resource.properties.owner == input.subject.id
	_entrusted
	registration.respected
	every scope in input.context.scopes {
		scope in input.context.facts.subject_scopes
	}
}

# A token that reached a service in another way leaked from somewhere.
_entrusted if input.context.facts.own

_entrusted if input.context.facts.serves

reason := not_entrusted if not _entrusted

# METADATA
# title: Not entrusted
# description: The token was neither issued to this client nor for a resource that it serves.
# custom:
#   code: not_entrusted
not_entrusted := denial.of(rego.metadata.chain())
