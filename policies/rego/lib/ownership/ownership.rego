# METADATA
# title: Ownership
# description: >-
#   Customers reach what is theirs; staff and trusted clients what is their
#   tenant's. What does not exist, another's and another tenant's look alike.
package pointgate.lib.ownership

import data.pointgate.lib.denial

# Nothing was named that could be owned: a list, a creation, or input that was
# not understood, which the gate refuses after an allow.
respected if input.resource.named == false

respected if {
	input.subject.type == "customer"
	_in_tenant
	input.resource.properties.owner == input.subject.id
}

# What a client has for itself, and what it is.
respected if {
	input.subject.type == "client"
	input.resource.type in {"grant", "client", "authorization_request"}
	_in_tenant
	input.resource.properties.owner == input.subject.id
}

# Whoever shows a token has it: what may be known or done with it is its rule's.
respected if {
	input.subject.type == "client"
	input.resource.type == "token"
	_in_tenant
}

respected if {
	input.subject.type in {"staff", "system"}
	_in_tenant
}

respected if {
	input.subject.type == "client"
	input.context.client.trusted
	_in_tenant
}

_in_tenant if input.resource.properties.tenant == input.context.tenant.id

# METADATA
# title: Not the owner
# description: This is not among what you may reach.
# custom:
#   code: not_owner
not_owner := denial.of(rego.metadata.chain())
