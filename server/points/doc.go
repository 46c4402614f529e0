// Package points is the points API: one file for each operation, and each
// operation a [gate.Operation] that parses, gathers facts and has its effect.
// The rows and what is physically possible with them (nothing below zero,
// oldest lots first, a line reversed once) are in package store; whether the
// caller may is the policy's question alone.
//
// # What it promises
//
//   - A change is one ledger line (a transfer and its reverse: two), in the
//     transaction of its decision. No line is ever changed; a hold is no line.
//   - balance = available + held, and equals the sum of the ledger but for
//     points whose expiry is due and not posted yet: they count at once as gone.
//   - Points are spent in the order of their lots' age. What comes back from a
//     hold or a reversal goes into the lots that it came from; where such a lot
//     has expired meanwhile, its points expire at the next sweep.
//   - lifetime_earned grows by earn alone and shrinks by the reversal of one.
//   - A disabled customer is to all callers as one who does not exist.
//
// # What it refuses
//
//   - A request that names no customer, unless the caller is one: then it is
//     about their own account.
//   - To tell a sender anything about the receiver's account. The receiver sees
//     the sender's id and reason in the line.
//   - Members and parameters that it does not know, a GET with a body, a
//     transfer to oneself.
//
// Points that come in one after the other with one expiry are one lot: a lot is
// a place in the order of spending, not a receipt.
//
// # To add an operation
//
//   - <operation>.go: Parse (pure), Facts (what the policy asks), Effect or Read
//   - a rule under policies/rego/points/<operation>, test first; without it the
//     operation is denied
//   - its statement in store, with its contract in storetest
//   - one line in server/routes.go, and its row in the bad-input test here
package points
