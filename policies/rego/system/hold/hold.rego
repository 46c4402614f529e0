package pointgate.system.hold

needed := [] if input.action.name == "hold.expire"

# METADATA
# title: Expiry of holds
# description: >-
#   The program itself lets holds expire.
# custom:
#   code: hold.expire
# scope: document
allow if {
	input.subject.type == "system"
	input.context.authentication.method == "internal"
}
