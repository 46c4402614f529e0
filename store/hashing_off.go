//go:build nohash

package store

const hashing = false
