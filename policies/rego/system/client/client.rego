package pointgate.system.client

needed := [] if input.action.name == "client.expire"

# METADATA
# title: Expiry of clients
# description: >-
#   The program itself removes clients that registered themselves and were never used.
# custom:
#   code: client.expire
# scope: document
allow if {
	input.action.name == "client.expire"
	input.subject.type == "system"
	input.context.authentication.method == "internal"
}
