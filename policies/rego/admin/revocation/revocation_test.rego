package pointgate.admin.revocation_test

import data.pointgate.lib.sample_test as ask

test_super_admin if ask.code(ask.staff("super_admin", "revocation.create", ["admin"])) == "ok"

test_manager if ask.code(ask.staff("manager", "revocation.create", ["admin"])) == "missing_role"

test_super_admin_on_a_page if ask.code(ask.session(ask.staff("super_admin", "revocation.create", []))) == "ok"

test_super_admin_elsewhere if ask.code(ask.about(ask.staff("super_admin", "revocation.create", ["admin"]), "", "other")) == "not_owner"

test_super_admin_without_scope if ask.code(ask.staff("super_admin", "revocation.create", ["points:read"])) == "missing_scope"

test_trusted_client if ask.code(ask.trusted("revocation.create", ["admin"])) == "missing_role"

test_customer_on_a_page if ask.code(ask.session(ask.about_nothing(ask.customer("revocation.create", [])))) == "missing_role"

test_no_other_verb if ask.code(ask.staff("super_admin", "revocation.eat", ["admin"])) == "denied"
