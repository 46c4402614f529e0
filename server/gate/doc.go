// Package gate is the one way to a protected thing. [Handler] runs caller,
// facts, decision, record, effect, in that order, for every request; nothing
// else in the program answers a question of permission.
//
// What it promises:
//
//   - The policy is asked for every request, also one without credentials.
//   - No answer leaves before its record is durable. An effect and its record
//     are one transaction; if it can't be committed the answer is 503 and
//     nothing happened.
//   - A caller who may not do a thing is not told whether its input was valid.
//   - Undefined, error, timeout: denied, and recorded with the reason.
//   - An event is written with its effect, or before it is told. Nothing that
//     was typed and not checked is in one, and no secret.
//
// What it refuses: to know what an operation means. An [Operation] parses,
// gathers facts and has its effect; it neither decides nor records.
//
// # To add an operation
//
//   - an [Operation] in its room, given to [Handler]: Parse is pure, Facts reads
//     what the policy asks about, Read or Effect does it
//   - its rule under policies/rego, test first; without one it is denied
//   - one line in server/routes.go, and one in the OpenAPI document
//   - a flow under tests/flows with an allowed caller and each way to be denied
//
// # To add an obligation
//
//   - the rule's obligations say it; see policies.Decision
//   - the effect checks it again inside its transaction, and returns [ErrStale]
//     if it no longer holds: all is undone and decided anew
//
// # To add an event
//
//   - its type in kinds.go, with a comment on itself and on each member: they are
//     its line in docs/events.md (write that with go test ./tests -run
//     TestEventsAreDocumented -update); kind gives it action, code and status
//   - its place in [Kinds]
//   - where it happens: tx.Record(events.Record(gate.Event{What: …})) in the write
//     that has its effect, or [Events.Append] before the answer that tells of it
//   - if a route without a gate makes it: the route's line in tests/events_test.go
//   - a line of tests/flows/events.txt that finds it in the log
package gate
