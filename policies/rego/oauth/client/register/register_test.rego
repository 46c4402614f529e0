package pointgate.oauth.client.register_test

import data.pointgate.lib.sample_test as ask

test_open if ask.code(_itself("none", {"registration": "open"})) == "ok"

test_open_with_a_token if ask.code(_itself("initial_token", {"registration": "open"})) == "ok"

test_with_a_token if ask.code(_itself("initial_token", {"registration": "token"})) == "ok"

test_without_a_token if ask.code(_itself("none", {"registration": "token"})) == "registration_closed"

test_off if ask.code(_itself("initial_token", {"registration": "off"})) == "registration_closed"

test_a_grant_without_a_person if {
	ask.code(_itself("none", {"registration": "open", "client_grant_types": ["client_credentials"]})) == "missing_role"
}

test_as_another if ask.code(_itself("none", {"registration": "open", "client_registered_by": "admin"})) == "registration_closed"

test_a_document if ask.code(_itself("document", {"client_registered_by": "document", "client_documents": true})) == "ok"

test_a_document_where_there_are_none if {
	ask.code(_itself("document", {"client_registered_by": "document", "client_documents": false})) == "registration_closed"
}

test_a_person if ask.code(_person("customer", {"registration": "open"})) == "ok"

test_a_member_of_staff if ask.code(_person("staff", {"registration": "open"})) == "ok"

test_a_person_where_a_token_is_needed if ask.code(_person("customer", {"registration": "token"})) == "registration_closed"

test_a_person_by_a_token if {
	question := ask.with_facts(
		ask.about(ask.customer("client.register", []), "cus_alice", "demo"),
		object.union(_facts, {"registration": "open", "client_registered_by": "developer"}),
	)
	ask.code(question) == "registration_closed"
}

_facts := {"client_registered_by": "dynamic", "client_grant_types": ["authorization_code", "refresh_token"]}

_itself(method, facts) := ask.with_facts(
	object.union(
		ask.about(object.union(ask.client("client.register", []), {"resource": {"type": "client"}}), "cli_shop", "demo"),
		{"context": {"authentication": {"method": method}}},
	),
	object.union(_facts, facts),
)

_person("customer", facts) := _session(ask.customer("client.register", []), "cus_alice", facts)

_person("staff", facts) := _session(ask.staff("viewer", "client.register", []), "stf_kim", facts)

_session(question, owner, facts) := ask.with_facts(
	ask.session(ask.about(question, owner, "demo")),
	object.union(_facts, object.union({"client_registered_by": "developer"}, facts)),
)
