package pointgate.lib.note_test

import data.pointgate
import data.pointgate.lib.sample_test as ask

test_staff_see_it_wherever_lines_are_shown if {
	every action in _actions {
		_obligations(ask.staff("super_admin", action, _scopes)).show_internal_note
	}
}

test_clients_never_do if {
	every action in _actions {
		not _obligations(ask.trusted(action, _scopes)).show_internal_note
	}
}

test_customers_never_do if {
	every action in _actions {
		not _obligations(ask.customer(action, _scopes)).show_internal_note
	}
}

test_where_no_line_is_shown_nothing_is_said if {
	_obligations(ask.staff("super_admin", "points.read", _scopes)) == {}
}

_obligations(question) := result if {
	result := pointgate.decision.obligations with input as question
}

_actions := ["points.history", "points.earn", "points.redeem", "points.capture", "points.adjust", "points.reverse"]

_scopes := ["points:read", "points:write", "points:adjust"]
