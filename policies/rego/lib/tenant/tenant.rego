# METADATA
# title: Tenant
# description: A credential is good for the tenant that gave it, and only at that tenant's host.
package pointgate.lib.tenant

import data.pointgate.lib.denial

same if input.subject.properties.tenant == input.context.tenant.id

# METADATA
# title: Wrong tenant
# description: The credential belongs to another tenant than this host.
# custom:
#   code: wrong_tenant
wrong_tenant := denial.of(rego.metadata.chain())
