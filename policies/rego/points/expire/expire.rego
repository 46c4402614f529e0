package pointgate.points.expire

needed := []

# METADATA
# title: Let points expire
# description: >-
#   The program itself lets points expire.
# custom:
#   code: points.expire
# scope: document
allow if {
	input.subject.type == "system"
	input.context.authentication.method == "internal"
}
