package pointgate.oauth.token.issue

import data.pointgate.lib.registration

needed := []

# METADATA
# title: Issue a token
# description: >-
#   A client gets a token of a grant that a person gave, or of its own, within what it was registered for.
# custom:
#   code: token.issue
# scope: document
allow if {
	input.resource.properties.owner == input.subject.id
	registration.respected
}
