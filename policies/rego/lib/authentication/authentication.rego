# METADATA
# title: Authentication
# description: >-
#   Only a valid credential of somebody goes on. A missing or bad one is a fact
#   like others; it ends here, in a 401.
package pointgate.lib.authentication

import data.pointgate.lib.denial

valid if {
	input.context.authentication.status == "valid"
	input.subject.type in {"customer", "staff", "client", "system"}
}

reason := missing_credentials if input.context.authentication.status == "missing"

else := expired_credentials if input.context.authentication.status == "expired"

else := revoked_credentials if input.context.authentication.status == "revoked"

else := invalid_credentials

# METADATA
# title: Missing credentials
# description: This needs a credential, and none was sent.
# custom:
#   code: missing_credentials
missing_credentials := denial.of(rego.metadata.chain())

# METADATA
# title: Invalid credentials
# description: The credential is unknown, or not good for this place.
# custom:
#   code: invalid_credentials
invalid_credentials := denial.of(rego.metadata.chain())

# METADATA
# title: Expired credentials
# description: The credential has expired.
# custom:
#   code: expired_credentials
expired_credentials := denial.of(rego.metadata.chain())

# METADATA
# title: Revoked credentials
# description: The credential was revoked.
# custom:
#   code: revoked_credentials
revoked_credentials := denial.of(rego.metadata.chain())
