# METADATA
# title: Sample questions
# description: >-
#   The people and questions of the tests. All are about the account of
#   cus_alice in the tenant demo, asked at demo's host, unless changed.
package pointgate.lib.sample_test

import data.pointgate

code(question) := result if {
	result := pointgate.decision.code with input as question
}

customer(action, scopes) := _question("customer", "cus_alice", [], action, scopes)

staff(role, action, scopes) := _question("staff", "stf_kim", [role], action, scopes)

client(action, scopes) := _question("client", "cli_shop", [], action, scopes)

trusted(action, scopes) := object.union(
	client(action, scopes),
	{"context": {"client": {"trusted": true}}},
)

system(action) := object.union(
	_question("system", "pointgate", [], action, []),
	{"context": {"authentication": {"method": "internal"}}},
)

session(question) := object.union(question, {"context": {"authentication": {"method": "session"}}})

logged_in(question, age, class) := object.union(question, {"context": {"authentication": {"age_s": age, "acr": class}}})

about(question, owner, tenant) := object.union(
	question,
	{"resource": {"named": true, "id": "some", "properties": {"owner": owner, "tenant": tenant}}},
)

about_nothing(question) := object.union(
	{name: value | some name, value in question; name != "resource"},
	{"resource": {"type": "points_account", "named": false}},
)

# A client that is registered for the code grant, points:read and points:write.
grant(action, grant_type, scopes) := with_facts(
	object.union(customer(action, scopes), {"resource": {"type": "grant"}}),
	{
		"grant_type": grant_type,
		"client_grant_types": ["authorization_code", "refresh_token"],
		"client_scopes": ["points:read", "points:write"],
	},
)

with_facts(question, facts) := object.union(question, {"context": {"facts": facts}})

_question(type, id, roles, action, scopes) := {
	"subject": {"type": type, "id": id, "properties": {"roles": roles, "tenant": "demo"}},
	"action": {"name": action},
	"resource": {
		"type": "points_account",
		"named": true,
		"id": "cus_alice",
		"properties": {"owner": "cus_alice", "tenant": "demo"},
	},
	"context": {
		"authentication": {"method": "oauth2", "status": "valid", "age_s": 12, "amr": []},
		"client": {"trusted": false},
		"scopes": scopes,
		"tenant": {"id": "demo", "home": true},
		"request": {"id": "req-1", "method": "GET", "path": "/", "ip": "127.0.0.1"},
		"time": "2026-01-02T03:04:05Z",
		"facts": {},
	},
}
