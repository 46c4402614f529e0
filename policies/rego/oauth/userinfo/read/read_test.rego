package pointgate.oauth.userinfo.read_test

import data.pointgate.lib.sample_test as ask

test_a_customer if ask.code(ask.customer("userinfo.read", ["openid"])) == "ok"

test_a_member_of_staff if {
	ask.code(ask.about(ask.staff("viewer", "userinfo.read", ["openid"]), "stf_kim", "demo")) == "ok"
}

test_a_member_of_staff_about_another if ask.code(ask.staff("super_admin", "userinfo.read", ["openid"])) == "missing_role"

test_without_the_scope if ask.code(ask.customer("userinfo.read", ["email", "profile"])) == "missing_scope"

test_another_person if ask.code(ask.about(ask.customer("userinfo.read", ["openid"]), "cus_bob", "demo")) == "not_owner"

test_not_with_a_session if ask.code(ask.session(ask.customer("userinfo.read", []))) == "missing_role"

test_a_client if ask.code(ask.trusted("userinfo.read", ["openid"])) == "missing_role"
