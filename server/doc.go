// Package server puts the rooms together: Fiber's settings, the one ordered
// list of steps (pipeline.go), and the whole URL map on one page (routes.go).
// It owns the listener's life: [Server.Serve], [Server.Shutdown], and the loops
// that run beside it. It holds no logic of its own.
//
// # To add a route
//
//   - its handler in its room; a protected one is a gate.Operation
//   - one line in routes.go, and one in the OpenAPI document
//   - a flow script under tests/flows with an allowed and a refused caller
package server
