# METADATA
# title: Roles
# description: What a member of staff is, from the role table in data. Nobody else has a role.
package pointgate.lib.roles

import data.pointgate.lib.denial

# On the ladder of ranks; roles without a rank are beside it.
at_least(role) if {
	input.subject.type == "staff"
	some held in input.subject.properties.roles
	data.roles[held].rank >= data.roles[role].rank
}

has(role) if {
	input.subject.type == "staff"
	role in input.subject.properties.roles
}

# METADATA
# title: Missing role
# description: This needs a role that you do not have.
# custom:
#   code: missing_role
missing_role := denial.of(rego.metadata.chain())
