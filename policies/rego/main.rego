# METADATA
# title: Pointgate
# description: >-
#   The default policy. Its one question is data.pointgate.decision. A rule is
#   found by its path: points/<operation>, oauth/<noun>/<verb>, admin/<noun> or
#   system/<noun>. It
#   says which scopes an action accepts (`needed`) and who may do it (`allow`).
#   What has no rule is denied.
package pointgate

import data.pointgate.lib.authentication
import data.pointgate.lib.denial
import data.pointgate.lib.ownership
import data.pointgate.lib.roles
import data.pointgate.lib.scope
import data.pointgate.lib.tenant

# METADATA
# title: Decision
# description: The whole answer as one object. A reason is only looked for on a denial.
# entrypoint: true
decision := {
	"allow": true,
	"status": 200,
	"code": "ok",
	"reasons": [],
	"needed": _needed,
	"obligations": _obligations,
} if {
	allow
} else := {
	"allow": false,
	"status": _status,
	"code": _reason.code,
	"reasons": [{"code": _reason.code, "message": _reason.message, "rule": _reason.rule}],
	"needed": _needed_or_none,
	"obligations": _remedy,
}

default allow := false

allow if {
	authentication.valid
	tenant.same
	scope.granted(_needed)
	ownership.respected
	_permitted
}

# The order is part of the contract: who asks, where, with which scope, about
# whose account, in what role; a rule's own reasons, such as a login that is too
# old, come when all this is good. Nobody learns of a later cause before the
# earlier ones are cured.
_reason := authentication.reason if not authentication.valid

else := tenant.wrong_tenant if not tenant.same

else := denial.denied if not _needed

else := scope.missing_scope if not scope.granted(_needed)

else := ownership.not_owner if not ownership.respected

else := _own_reason if _own_reason

else := roles.missing_role

default _status := 403

_status := 401 if not authentication.valid

_status := 401 if _reason.step_up

# How the login must be, if another one would cure the denial.
default _remedy := {}

_remedy := {"step_up": _reason.step_up}

# What follows finds the rule of the action by its path.

_operation := trim_prefix(input.action.name, "points.") if startswith(input.action.name, "points.")

_words := split(input.action.name, ".") if not startswith(input.action.name, "points.")

_verb := _words[1]

# What the OAuth2 endpoints have a rule for is nobody else's.
_noun := _words[0] if not data.pointgate.oauth[_words[0]][_verb].needed

_needed := data.pointgate.points[_operation].needed

_needed := data.pointgate.oauth[_words[0]][_verb].needed

_needed := data.pointgate.admin[_noun].needed

_needed := data.pointgate.system[_noun].needed

default _needed_or_none := []

_needed_or_none := _needed

_permitted if data.pointgate.points[_operation].allow

_permitted if data.pointgate.oauth[_words[0]][_verb].allow

_permitted if data.pointgate.admin[_noun].allow

_permitted if data.pointgate.system[_noun].allow

_own_reason := data.pointgate.points[_operation].reason

_own_reason := data.pointgate.oauth[_words[0]][_verb].reason

_own_reason := data.pointgate.admin[_noun].reason

default _obligations := {}

_obligations := data.pointgate.points[_operation].obligations
