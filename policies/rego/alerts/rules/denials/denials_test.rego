package pointgate.alerts.rules.denials_test

import data.pointgate.alerts_test as sample

_denied(now, before, known) := object.union(sample.quiet, {
	"totals": {"denied": now, "decisions": ["d1"]},
	"before": {"denied": before, "window_s": known},
})

test_after_a_quiet_hour if {
	sample.keys(_denied(50, 0, 3600), "denials") == {"denials"}
	sample.detail(_denied(50, 12, 3600), "denials") == "50 denials in 600 seconds, after 12 in the 3600 seconds before."
	sample.decisions(_denied(50, 0, 3600), "denials") == {"d1"}
}

test_few if sample.keys(_denied(49, 0, 3600), "denials") == set()

# 600 an hour are 100 in ten minutes.
test_five_times_as_many if sample.keys(_denied(500, 600, 3600), "denials") == {"denials"}

test_less_than_five_times if sample.keys(_denied(499, 600, 3600), "denials") == set()

test_the_time_before_is_not_known if sample.keys(_denied(500, 0, 599), "denials") == set()
