package pointgate.oauth.token.introspect

needed := []

# METADATA
# title: Introspect a token
# description: >-
#   A client learns of the tokens that it was given, and a resource server of the access tokens that are for it. Of all else it learns nothing.
# custom:
#   code: token.introspect
# scope: document
allow if {
	input.subject.type == "client"
	not input.resource.named
}

allow if {
	input.subject.type == "client"
	input.context.facts.own
}

allow if {
	input.subject.type == "client"
	input.context.facts.serves
	input.context.facts.token_type == "access_token"
}
