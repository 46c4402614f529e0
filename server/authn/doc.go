// Package authn finds out who is calling. Each way to say so is a [Method] in
// a file of its own; the [Authenticator] asks them in order and puts a
// [web.Caller] on the request. Beside that it owns what signing in needs:
// passwords, sessions, the tokens of forms, and the secrets of API keys and
// setup links.
//
// What it promises:
//
//   - A caller is facts, no judgement. A missing, false, expired or revoked
//     credential is a fact too: the policy turns it into the 401, and the
//     record says whose it was where that is known.
//   - A credential of a wrong form is refused without a look at the database.
//   - Secrets are kept as hashes: SHA-256 for those that we made of 256 random
//     bits, argon2id for those that people chose.
//
// What it refuses: to guess. Two explicit credentials, or a bearer token in a
// query string or form, are bad requests; a session cookie counts for nothing
// beside an Authorization header; a store that does not answer is an error and
// never an anonymous caller.
//
// # To add a method
//
//   - <method>.go with its type: Name, Find (no I/O), Authenticate
//   - one entry in the Authenticator's list where the server is assembled
//   - its name in policies/rego where a rule asks for it
//   - a row in the test's table for each way to fail
package authn
