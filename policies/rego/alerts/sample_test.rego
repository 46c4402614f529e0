# METADATA
# title: Sample windows
# description: The windows of the tests. Nothing happened in them unless it is said.
package pointgate.alerts_test

import data.pointgate.alerts

keys(window, rule) := {alert.key |
	some alert in alerts.raised with input as window
	alert.rule == rule
}

# The detail of the one alert of a rule.
detail(window, rule) := text if {
	details := {alert.detail |
		some alert in alerts.raised with input as window
		alert.rule == rule
	}
	[text] := [d | some d in details]
}

decisions(window, rule) := {id |
	some alert in alerts.raised with input as window
	alert.rule == rule
	some id in alert.decisions
}

quiet := {
	"now": "2026-01-02T03:04:05Z",
	"window_s": 600,
	"tenant": "demo",
	"groups": [],
	"by_action": {},
	"by_code": {},
	"truncated": false,
	"dropped": {"allowed": 0, "denied": 0},
	"totals": {"allowed": 0, "denied": 0, "decisions": []},
	"before": {"allowed": 0, "denied": 0, "window_s": 3600},
}

window(groups) := object.union(quiet, {"groups": all, "by_action": _by(all, "action"), "by_code": _by(all, "code")}) if {
	all := [object.union(_group, group) | some group in groups]
}

_by(groups, name) := {value: places |
	some value in {group[name] | some group in groups}
	places := [i | some i, group in groups; group[name] == value]
}

_group := {
	"action": "points.read",
	"code": "ok",
	"allow": true,
	"subject": "cus_alice",
	"client": "demo-web",
	"resource": "cus_alice",
	"related": "",
	"ip": "192.0.2.1",
	"folded": false,
	"count": 1,
	"first": "2026-01-02T03:04:00Z",
	"last": "2026-01-02T03:04:05Z",
	"decisions": ["d1"],
}

test_a_quiet_window_raises_nothing if count(alerts.raised) == 0 with input as window([{}])
