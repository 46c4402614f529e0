package pointgate.oauth.token.exchange

import data.pointgate.lib.denial
import data.pointgate.lib.registration

needed := []

# METADATA
# title: Exchange a token
# description: >-
#   A service acts for a customer by a token for a resource that it serves, or
#   narrows one of its own for the same resource, within what that token and its
#   registration allow.
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

# A token that reached a service in another way leaked from somewhere. One's own
# can be narrowed, not carried elsewhere: the person was asked for one place.
_entrusted if {
	input.context.facts.own
	input.context.facts.audience == input.context.facts.subject_audience
}

_entrusted if input.context.facts.serves

reason := not_entrusted if not _entrusted

# METADATA
# title: Not entrusted
# description: The token is for no resource that this client serves, nor its own and to stay where it is good.
# custom:
#   code: not_entrusted
not_entrusted := denial.of(rego.metadata.chain())
