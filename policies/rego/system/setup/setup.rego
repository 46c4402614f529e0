package pointgate.system.setup

needed := [] if input.action.name == "setup.complete"

# METADATA
# title: Setup
# description: >-
#   The program itself makes a tenant's first administrator for whoever holds
#   its one-time setup link; that the link is good is checked with it.
# custom:
#   code: setup.complete
# scope: document
allow if {
	input.subject.type == "system"
	input.context.authentication.method == "internal"
}
