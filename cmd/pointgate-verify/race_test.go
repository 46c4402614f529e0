//go:build race

package main

// slowed: the race detector makes hashing many times slower.
const slowed = true
