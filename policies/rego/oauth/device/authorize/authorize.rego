package pointgate.oauth.device.authorize

import data.pointgate.lib.registration

needed := []

# METADATA
# title: Let a device wait
# description: >-
#   A client gets codes for a device, within what it was registered for. What the
#   device may do is decided when a person approves it: see consent.grant.
# custom:
#   code: device.authorize
# scope: document
allow if {
	input.subject.type == "client"
	registration.respected
}
