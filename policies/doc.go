// Package policies decides. It owns the Rego engine, the shape of the question
// (a [Request], which rules see as `input`), and the shape of the answer (a
// [Decision]). It knows neither HTTP nor SQL, and it refuses to guess: what is
// undefined, fails or takes too long is a denial.
//
// # Words
//
// One word for each thing, in Go, Rego, SQL, JSON and the documents:
//
//	subject    who asks: customer, staff, client, system or anonymous
//	client     the OAuth2 application through which the subject asks
//	action     what is asked for, as noun.verb: points.redeem
//	resource   what it is asked for on, with an owner and a tenant
//	facts      what the store knows that a rule wants to know
//	scope      what a credential is good for, as noun:verb: points:read
//	role       what a member of staff is, from the role table in data
//	grant      an authorization that a person gave to a client
//	tenant     one organisation with its own issuer, users and points
//	decision   the answer to one request, with its code and reasons
//	record     a decision as the log keeps it
//	revision   one immutable state of modules and data, named by its digest
//	obligation what an allowed effect must still hold to
//	hold       points set aside until they are captured or released
//	lot        what is left of one earning, with its expiry
//
// # To add a rule
//
// Its folder under rego/, the test beside it first; main.rego finds it by its
// path. Go only changes when the input grows: request.go and input.schema.json.
package policies
