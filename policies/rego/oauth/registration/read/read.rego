package pointgate.oauth.registration.read

needed := []

# METADATA
# title: Read a registration
# description: A client reads what it is registered as.
# custom:
#   code: registration.read
# scope: document
allow if {
	input.subject.type == "client"
	input.context.authentication.method == "registration_token"
	input.resource.properties.owner == input.subject.id
}
