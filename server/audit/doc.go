// Package audit publishes the audit trail, so that nobody has to believe us: each
// second it signs the tree of the log (a checkpoint), keeps it, serves it, and
// puts it where we can't take it back. It serves the tree in tiles, the log's
// keys, and proofs of single records. It also brings the records to those who
// collect them ([Push]), and empties those that the law wants emptied ([Eraser])
// or whose time is over ([Retainer]).
//
// What it promises:
//
//   - A checkpoint is durable in the database before anybody sees it, and it is
//     of records that are. The log's next tree is proven to go on from the last
//     one before it is signed; what can't be proven is not signed.
//   - The size of what is served never goes down, and no size has two trees.
//   - Places where checkpoints are put do not wait for each other, and nothing
//     waits for them.
//   - The program does not start on a log that is behind, or beside, what was
//     published, unless the operator says so; then the log gets another origin,
//     and a record that holds what was published.
//   - A tile that the published checkpoint does not cover is not there.
//
// What it refuses: to decide who may see a record. Checkpoints, tiles and keys
// hold no data of anybody; proofs, which do, and the keys' rotation are handlers
// of package admin, behind the gate.
//
// # To add a place
//
//   - a file here with a function that makes a [place]: put, and read where what
//     was put can be had back
//   - its setting in cmd/pointgate/config.go, and its line in [Open]
//   - its row in the tests of places: down and up again, the start check
package audit
