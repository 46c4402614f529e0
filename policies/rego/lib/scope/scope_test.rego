package pointgate.lib.scope_test

import data.pointgate
import data.pointgate.lib.sample_test as ask
import data.pointgate.lib.scope

test_any_of_the_needed if {
	scope.granted(["a:b", "c:d"]) with input.context.scopes as ["x:y", "c:d"]
}

test_none_of_the_needed if {
	not scope.granted(["a:b", "c:d"]) with input.context.scopes as ["a:bb", "c"]
}

test_nothing_is_needed if scope.granted([]) with input.context.scopes as []

test_a_page_needs_none if {
	scope.granted(["a:b"]) with input.context.authentication.method as "session"
		with input.context.scopes as []
}

test_the_needed_are_told_on_both_answers if {
	every scopes in [["points:read"], []] {
		pointgate.decision.needed == ["points:read"] with input as ask.customer("points.read", scopes)
	}
}
