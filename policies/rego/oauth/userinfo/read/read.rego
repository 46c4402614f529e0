package pointgate.oauth.userinfo.read

needed := ["openid"]

# METADATA
# title: Read who a person is
# description: >-
#   A client learns of the person who gave it a token what the token's scopes open.
# custom:
#   code: userinfo.read
# scope: document
allow if {
	input.context.authentication.method == "oauth2"
	input.subject.type in {"customer", "staff"}
	input.resource.properties.owner == input.subject.id
}
