// Package admin is the JSON API of administration: the tenants, clients,
// customers, staff, API keys and tokens, grants, sessions, decisions and alerts of one
// tenant.
//
// A [noun] says how one kind of object is read, kept and shown; all operations
// on it are made from that and pass the gate. Every object is looked up within
// the tenant that the host names, so another tenant's and one that was never
// there are alike: 404, for those who may know. Only the tenants themselves are
// kept by the home tenant.
//
// What it promises:
//
//   - A secret is in the answer that made it and in no other; the store has its
//     hash.
//   - Who or what is switched off loses sessions, grants and keys in the same
//     transaction.
//   - The last super_admin stays, and nobody switches themselves off.
//
// What it refuses: to decide who may do what; the policy does, by the actions
// noun.list, noun.read, noun.create, noun.update, noun.delete or noun.revoke.
//
// # To add an admin object
//
//   - store/<noun>.go with its row and queries, and its contract in storetest
//   - <noun>.go here with a noun value; members that a PATCH may change are read
//     by the function that reads them for a POST
//   - its rule and test in policies/rego/admin/<noun>/
//   - its lines in server/routes.go and in the OpenAPI document
//   - a row in the nouns table of cmd/pointgate/nouns.go, and in each table of
//     the tests here: bad input, tenants, secrets
package admin
