package pointgate.oauth.registration.read_test

import data.pointgate.lib.sample_test as ask

test_itself if ask.code(_itself("registration_token", "cli_shop")) == "ok"

test_another if ask.code(_itself("registration_token", "cli_other")) == "not_owner"

test_with_its_secret if ask.code(_itself("client_secret_basic", "cli_shop")) == "missing_role"

test_a_person if ask.code(ask.session(ask.about(ask.customer("registration.read", []), "cus_alice", "demo"))) == "missing_role"

_itself(method, owner) := object.union(
	ask.about(object.union(ask.client("registration.read", []), {"resource": {"type": "client"}}), owner, "demo"),
	{"context": {"authentication": {"method": method}}},
)
