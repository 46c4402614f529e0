package pointgate.oauth.registration.delete

needed := []

# METADATA
# title: Delete a registration
# description: A client that registered itself removes itself, with all that was given to it.
# custom:
#   code: registration.delete
# scope: document
allow if {
	input.subject.type == "client"
	input.context.authentication.method == "registration_token"
	input.resource.properties.owner == input.subject.id
}
