// Package web holds the words that all rooms of the server share: the [Caller],
// the [Event] of a request, the [Problem], the [Request] that is read out of
// Fiber and the [Answer] that is written back. It decides nothing and does no I/O.
//
// Fiber hands out strings that alias buffers which the next request overwrites.
// A [Request] is made of copies, so whatever comes from it may be kept.
package web
