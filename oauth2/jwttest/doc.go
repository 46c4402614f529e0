// Package jwttest makes keys, signed JWTs and certificates for tests, good ones
// and bad ones. It shares no code with what it tests.
package jwttest
