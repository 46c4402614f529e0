// Package web holds the words that all rooms of the server share: the [Caller],
// the [Event] of a request, the [Problem], the [Request] that is read out of
// Fiber and the [Answer] that is written back. It decides nothing and does no I/O.
//
// Fiber hands out strings that alias buffers which the next request overwrites.
// A [Request] is made of copies, so whatever comes from it may be kept.
//
// # To add a problem code
//
//   - its row in titles (problem.go); a code is never given another meaning
//   - its place in the enum of Problem in server/openapi.yaml
//   - its line in the table of docs/developers.md
//
// # To add a reader of fields
//
//   - its method in fields.go: it notes what is wrong and goes on; it never
//     reads a member that was not asked for by name
//   - its table in fields_test.go, and its call in fuzz_test.go
package web
