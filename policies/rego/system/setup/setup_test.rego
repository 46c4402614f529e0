package pointgate.system.setup_test

import data.pointgate.lib.sample_test as ask

test_the_program_itself if ask.code(ask.system("setup.complete")) == "ok"

test_the_program_elsewhere if ask.code(ask.about(ask.system("setup.complete"), "", "other")) == "not_owner"

test_a_credential_that_says_system if ask.code(ask.session(ask.system("setup.complete"))) == "missing_role"

test_customer if ask.code(ask.customer("setup.complete", [])) == "missing_role"

test_staff if ask.code(ask.session(ask.staff("super_admin", "setup.complete", []))) == "missing_role"

test_no_other_verb if ask.code(ask.system("setup.begin")) == "denied"
