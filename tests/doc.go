// Package tests looks at the program from outside: the real binary over HTTP,
// a browser, raw sockets and kill -9; and at the house itself, its imports and
// its sizes. flows/ holds the scripts that describe each operation; flows_test.go
// lists the words that they may use. Every answer is held against the server's
// OpenAPI document.
//
// What it refuses: to know how a thing is done. Tests of the inside stand beside
// the inside.
//
// # To add a flow
//
//   - flows/<noun>_<verb>.txt: an allowed caller, each way to be denied, what is
//     wrong with the input, and the lines of the decision log
//   - a new word for the scripts only where they need one: commands_test.go
package tests
