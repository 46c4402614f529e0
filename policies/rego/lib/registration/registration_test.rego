package pointgate.lib.registration_test

import data.pointgate.lib.registration
import data.pointgate.lib.sample_test as ask

test_what_was_registered if registration.respected with input as ask.grant("token.issue", "authorization_code", ["points:read"])

test_less_than_that if registration.respected with input as ask.grant("token.issue", "authorization_code", [])

test_another_grant_type if not registration.respected with input as ask.grant("token.issue", "client_credentials", ["points:read"])

test_another_scope if not registration.respected with input as ask.grant("token.issue", "authorization_code", ["points:read", "admin"])

test_nothing_is_known if not registration.respected with input as ask.customer("token.issue", ["points:read"])
