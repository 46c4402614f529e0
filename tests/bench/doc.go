// Command bench measures the real binary against a bare Fiber handler: bounded
// load over 64 keep-alive connections on loopback, in interleaved rounds, so
// that both meet the same machine. It prints requests per second, p50, p99, the
// server's processor time for each request, and the ratio to the bare handler;
// then the memory of the idle demo, and the time from its start to its first
// answer. Only ratios of one run mean anything: the generator shares the
// machine.
//
//	go run ./tests/bench [-seconds 3] [-rounds 3]
//
// With -trail it measures what hashing and proving the log costs: the program
// against a build of it with the tag nohash, in turns.
//
// With -growth it measures what a million expired tokens cost: the program over a
// store that has them, and over one that has not, in turns. The store is SQLite,
// or with -empty and -full two empty databases of PostgreSQL.
//
// # To add a case
//
// A line in cases (main.go): the request, and how it differs from one to the next.
package main
