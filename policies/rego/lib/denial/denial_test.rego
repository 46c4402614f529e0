package pointgate.lib.denial_test

import data.pointgate.lib.denial

test_a_reason_is_made_of_annotations if {
	denial.denied == {
		"code": "denied",
		"message": "No rule permits this action.",
		"rule": "pointgate.lib.denial.denied",
	}
}
