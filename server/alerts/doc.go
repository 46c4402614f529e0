// Package alerts follows the log and asks the rules under data.pointgate.alerts
// what is worth a person's look. It keeps the last minutes of each tenant in
// memory, counted in groups, and raises what the rules find: a row, its record,
// and mails, in one write.
//
// What it promises:
//
//   - Each record is judged, by one node: a lease says which, and a cursor how far
//     it has come. Who takes over, or starts again, reads the last minutes anew.
//   - While an alert of a rule and a key is open or acknowledged, more evidence
//     counts on and mails nobody. After it was closed, new evidence is a new alert.
//   - Memory is bounded, whatever strangers do: groups have a limit, one caller
//     can't use up that of others, and what found no room is counted and said.
//   - A rule that fails, takes too long or answers nonsense is logged and counted,
//     and asked again. Nothing here holds up a request.
//
// What it refuses: to know what is suspicious. That is said in Rego, see
// docs/alerts.md.
package alerts
