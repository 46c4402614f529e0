package pointgate.points.expire_test

import data.pointgate.lib.sample_test as ask

test_the_program_itself if ask.code(ask.system("points.expire")) == "ok"

test_the_program_elsewhere if ask.code(ask.about(ask.system("points.expire"), "cus_olga", "other")) == "not_owner"

test_a_credential_that_says_system if ask.code(ask.session(ask.system("points.expire"))) == "missing_role"

test_customer if ask.code(ask.customer("points.expire", [])) == "missing_role"

test_trusted_client if ask.code(ask.trusted("points.expire", ["admin"])) == "missing_role"

test_staff if ask.code(ask.session(ask.staff("super_admin", "points.expire", []))) == "missing_role"
