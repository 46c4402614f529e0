//go:build !nohash

package store

// hashing is off only in the build that the benchmark compares with.
const hashing = true
