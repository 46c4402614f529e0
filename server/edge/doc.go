// Package edge is what a request passes before it is anybody's: the steps of
// the pipeline that need neither the store nor the policy. It decides nothing
// about permission; what it refuses, it refuses for the shape or the number of
// requests, and it sums the refusals up into records ([Refusals]), so that a
// flood can be read about later and can't fill the disk now.
//
// # To add a step
//
//   - its file, with a method or func that returns a fiber.Handler
//   - its place in the list of server/pipeline.go
//   - a case in the pipeline's test that shows what it refuses
package edge
