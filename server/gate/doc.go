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
//
// What it refuses: to know what an operation means. An [Operation] parses,
// gathers facts and has its effect; it neither decides nor records.
package gate
