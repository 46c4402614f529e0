# METADATA
# title: Step-up
# description: >-
#   Some things need a fresher or a stronger login than the one behind a token
#   (RFC 9470). What is needed stands in data.step_up: max_age_s, acr_values or
#   both.
package pointgate.lib.step_up

import data.pointgate.lib.denial

# What says nothing of the login that it needs is not met by any.
suffices(need) if {
	_fresh(need)
	_strong(need)
}

# Where nobody logged in there is no class, and age_s is that of the credential.
_fresh(need) if {
	input.context.authentication.acr
	input.context.authentication.age_s <= need.max_age_s
}

_fresh(need) if {
	need.acr_values
	not need.max_age_s
}

_strong(need) if input.context.authentication.acr in need.acr_values

_strong(need) if {
	need.max_age_s
	not need.acr_values
}

# The reason of a denial that another login would cure. step_up tells the client
# which, and makes a 401 of it.
reason(need) := object.union(insufficient_user_authentication, {"step_up": object.union(_age(need), _classes(need))})

default _age(_) := {}

_age(need) := {"max_age": need.max_age_s}

default _classes(_) := {}

_classes(need) := {"acr_values": concat(" ", need.acr_values)}

# METADATA
# title: Login not good enough
# description: This needs a fresher or stronger login. Sign in again to go on.
# custom:
#   code: insufficient_user_authentication
insufficient_user_authentication := denial.of(rego.metadata.chain())
