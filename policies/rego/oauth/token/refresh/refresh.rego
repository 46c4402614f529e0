package pointgate.oauth.token.refresh

import data.pointgate.lib.registration

needed := []

# METADATA
# title: Refresh a token
# description: >-
#   A client renews its access within what it is registered for today.
# custom:
#   code: token.refresh
# scope: document
allow if {
	input.resource.properties.owner == input.subject.id
	registration.respected
}
