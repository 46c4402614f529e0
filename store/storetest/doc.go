// Package storetest is the contract of package store as a suite that runs on
// each database, and the databases themselves for the tests of other rooms.
//
// PostgreSQL is used when POINTGATE_TEST_POSTGRES holds a URL, or when a server
// answers on 127.0.0.1:5432 without a password; each test gets a database of
// its own that is dropped afterwards, never one that was there. Without a
// server the tests say what they skip; with CI=true that is a failure.
package storetest
