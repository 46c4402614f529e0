package pointgate.system.client_test

import data.pointgate.lib.sample_test as ask

test_the_program_itself if ask.code(ask.system("client.expire")) == "ok"

test_the_program_elsewhere if ask.code(ask.about(ask.system("client.expire"), "cus_olga", "other")) == "not_owner"

test_a_credential_that_says_system if ask.code(ask.session(ask.system("client.expire"))) == "missing_role"

test_customer if ask.code(ask.session(ask.customer("client.expire", []))) == "missing_role"

test_no_other_verb if ask.code(ask.system("client.delete")) == "missing_scope"
