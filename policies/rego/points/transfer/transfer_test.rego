package pointgate.points.transfer_test

import data.pointgate.lib.sample_test as ask

test_customer_to_a_customer_here if ask.code(ask.with_facts(_own, {"recipient_tenant": "demo"})) == "ok"

test_customer_to_another_tenant if ask.code(ask.with_facts(_own, {"recipient_tenant": "other"})) == "not_owner"

test_customer_to_nobody if ask.code(ask.with_facts(_own, {"recipient_tenant": ""})) == "not_owner"

test_customer_names_no_recipient if ask.code(_own) == "ok"

test_customer_from_anothers if ask.code(ask.about(_own, "cus_bob", "demo")) == "not_owner"

test_customer_without_scope if ask.code(ask.customer("points.transfer", ["points:write"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("points.transfer", ["points:transfer"])) == "missing_role"

test_staff if ask.code(ask.staff("super_admin", "points.transfer", ["points:transfer"])) == "missing_role"

_own := ask.customer("points.transfer", ["points:transfer"])
