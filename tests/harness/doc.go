// Package harness runs the real program for tests that look at it from outside:
// it builds the binary once for each test run (with the race detector if the
// tests have it), starts `pointgate serve --demo` on free loopback ports, and
// has the demo's people log in, consent and call the API.
//
// Each answer is held against the OpenAPI document that the server serves, so that
// the two can't drift apart; document.go says how.
//
// What it refuses: to look inside. It imports nothing of the server, and what it
// learns it learns over HTTP and from the demo.json that the program writes.
//
// Its functions return errors rather than fail a test, so that they may be
// called from any goroutine; only [Start] and [Main] take a test.
//
// # To add a person
//
// A line in people.go, and the same in the demo data.
package harness
