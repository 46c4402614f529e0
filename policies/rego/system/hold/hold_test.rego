package pointgate.system.hold_test

import data.pointgate.lib.sample_test as ask

test_the_program_itself if ask.code(ask.system("hold.expire")) == "ok"

test_the_program_elsewhere if ask.code(ask.about(ask.system("hold.expire"), "cus_olga", "other")) == "not_owner"

test_a_credential_that_says_system if ask.code(ask.session(ask.system("hold.expire"))) == "missing_role"

test_customer if ask.code(ask.customer("hold.expire", [])) == "missing_role"

test_trusted_client if ask.code(ask.trusted("hold.expire", ["admin"])) == "missing_role"

test_staff if ask.code(ask.session(ask.staff("super_admin", "hold.expire", []))) == "missing_role"

test_no_other_verb if ask.code(ask.system("hold.capture")) == "denied"
