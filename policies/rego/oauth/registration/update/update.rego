package pointgate.oauth.registration.update

needed := []

# METADATA
# title: Replace a registration
# description: A client that registered itself registers itself anew.
# custom:
#   code: registration.update
# scope: document
allow if {
	input.subject.type == "client"
	input.context.authentication.method == "registration_token"
	input.resource.properties.owner == input.subject.id
}
