# METADATA
# title: Registration
# description: What a client was registered for is the most that it gets.
package pointgate.lib.registration

respected if {
	_grant_type
	every scope in input.context.scopes {
		scope in input.context.facts.client_scopes
	}
}

_grant_type if input.context.facts.grant_type in input.context.facts.client_grant_types
