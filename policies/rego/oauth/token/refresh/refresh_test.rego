package pointgate.oauth.token.refresh_test

import data.pointgate.lib.sample_test as ask

test_a_refresh if ask.code(ask.grant("token.refresh", "refresh_token", ["points:read"])) == "ok"

test_a_scope_that_was_taken_away if ask.code(ask.grant("token.refresh", "refresh_token", ["admin"])) == "missing_role"

test_elsewhere if ask.code(ask.about(ask.grant("token.refresh", "refresh_token", ["points:read"]), "cus_alice", "other")) == "not_owner"
