# METADATA
# title: Scope
# description: >-
#   What a credential was given for. A first-party page asks nobody's leave but
#   the person's own, who sits before it; so a session needs no scope.
package pointgate.lib.scope

import data.pointgate.lib.denial

# An action that needs none says so with an empty array; undefined is no leave.
granted([])

granted(_) if input.context.authentication.method == "session"

granted(needed) if {
	some scope in needed
	scope in input.context.scopes
}

# METADATA
# title: Missing scope
# description: The credential has none of the scopes that this action accepts.
# custom:
#   code: missing_scope
missing_scope := denial.of(rego.metadata.chain())
