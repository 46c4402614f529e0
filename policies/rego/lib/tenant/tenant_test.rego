package pointgate.lib.tenant_test

import data.pointgate
import data.pointgate.lib.sample_test as ask
import data.pointgate.lib.tenant

test_same if tenant.same with input as _own

test_another if {
	pointgate.decision.code == "wrong_tenant" with input as _own with input.subject.properties.tenant as "other"
}

test_another_comes_before_scope_and_owner if {
	pointgate.decision.code == "wrong_tenant" with input as ask.about(_own, "cus_bob", "demo")
		with input.subject.properties.tenant as "other"
		with input.context.scopes as []
}

test_none if {
	not tenant.same with input as {
		"subject": {"type": "customer", "id": "cus_alice", "properties": {"roles": []}},
		"context": {"tenant": {"home": false}},
	}
}

_own := ask.customer("points.read", ["points:read"])
