package pointgate.oauth.request.push

import data.pointgate.lib.registration

needed := []

# METADATA
# title: Push an authorization request
# description: >-
#   A client sends its own request ahead of the browser, within what it was registered for. A person decides about it later.
# custom:
#   code: request.push
# scope: document
allow if {
	input.subject.type == "client"
	input.resource.properties.owner == input.subject.id
	registration.respected
}
