// Package store keeps Pointgate's rows: one noun per file, each with its type
// and its queries. It owns every line of SQL in the program and decides no
// question of permission; what it refuses, it refuses for physical reasons (a
// balance below zero, a code used twice), by conditional statements.
//
// SQLite and PostgreSQL are one implementation and a [dialect] value. All
// writes, of all kinds, go through one [DB.Write]: waiting writes are grouped
// into one transaction, the decision records among them get contiguous
// indexes in that transaction, and nobody is released before it is durable.
// Because each group first takes the lock on the log's head, groups of
// different nodes run one after another: inside an effect there is nothing to
// race with.
//
// # The log
//
// A [Record] is one JSON event and a leaf of a Merkle tree (package trail). The
// records of one commit are one row of batches: what the tree holds of them
// (entries), what lists are made of (keys), and nonce and event of each (bodies).
// The tree grows in the same transaction; log_head holds its size and frontier,
// tree_nodes its nodes of every eighth level, and every other hash is made of a
// few of these when it is asked for. Nothing of a row ever changes but bodies and
// keys of records that are erased. [Inspector.Verify] reads all of it and names
// what was tampered with. Lists and counts come out of a search index, which is
// derived from the keys behind the commits and can be thrown away at any time.
//
// Queries that are also asked inside a write are functions of a [Reader]; those
// that never are, methods of [DB]. What changes rows is a method of [Tx].
//
// Reads use a pool of their own and always see what was committed before they
// were asked for.
//
// # To add a noun
//
//   - a table in migrations/sqlite and migrations/postgres (a new, additive file)
//   - <noun>.go: the row type and its queries, taking a [Reader] or a *[Tx]
//   - its contract in storetest, which runs on both databases
//
// # To add a database
//
//   - a dialect value in dialect.go, a folder of migrations
//   - one line in the storetest test
package store
