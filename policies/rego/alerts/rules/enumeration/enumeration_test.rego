package pointgate.alerts.rules.enumeration_test

import data.pointgate.alerts_test as sample

_refused := {"allow": false, "code": "not_owner"}

_tries(n) := [object.union(_refused, {"resource": id, "decisions": [id]}) | some id in array.slice(["a", "b", "c", "d", "e", "f"], 0, n)]

test_many_things if sample.keys(sample.window(_tries(5)), "enumeration") == {"cus_alice"}

test_it_says_what_happened if {
	sample.detail(sample.window(_tries(5)), "enumeration") == "cus_alice was refused on 5 things that belong to others."
	sample.decisions(sample.window(_tries(5)), "enumeration") == {"a", "b", "c", "d", "e"}
}

test_few_things if sample.keys(sample.window(_tries(4)), "enumeration") == set()

test_one_thing_often if sample.keys(sample.window([object.union(_refused, {"count": 100})]), "enumeration") == set()

test_of_several_callers if {
	groups := [object.union(group, {"subject": group.resource}) | some group in _tries(6)]
	sample.keys(sample.window(groups), "enumeration") == set()
}

test_nobody_is_no_caller if {
	groups := [object.union(group, {"subject": ""}) | some group in _tries(6)]
	sample.keys(sample.window(groups), "enumeration") == set()
}
