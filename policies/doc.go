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
//	actor      the client that acts for the subject, where it exchanged a token
//	action     what is asked for, as noun.verb: points.redeem
//	resource   what it is asked for on, with an owner and a tenant
//	facts      what the store knows that a rule wants to know
//	scope      what a credential is good for, as noun:verb: points:read
//	role       what a member of staff is, from the role table in data
//	grant      an authorization that a person gave to a client
//	tenant     one organisation with its own issuer, users and points
//	decision   the answer to one request, with its code and reasons
//	record     a decision, or an event that nobody was asked about, as the log keeps it
//	log        all records of the installation in their order, and the tree over them
//	entry      the 32 bytes that the tree holds of a record
//	checkpoint a signed note that says what the tree is at one size
//	place      where checkpoints are kept outside the database: file, endpoint, witness
//	sink       where records are pushed to
//	revision   one immutable state of modules and data, named by its digest
//	obligation what whoever carries out an allowed action must hold to
//	mask       a field of the request that records do not keep as it is
//	pseudonym  what stands for the value of a masked field that rules compare
//	alert      what a rule over the last minutes of the log found
//	hold       points set aside until they are captured or released
//	lot        what is left of one earning, with its expiry
//
// # To add a rule
//
// Its folder under rego/, the test beside it first; main.rego finds it by its
// path: points/<operation>, admin/<noun> or system/<noun>. It says `needed`
// (scopes, any of which will do), `allow`, and if need be `reason` and
// `obligations`; METADATA on `allow`. Then run the tests with -update and read
// what changed in testdata/matrix.txt: it is the whole of who may do what.
//
// # To add an alert rule
//
// Its folder under rego/alerts/rules, the test beside it first; docs/alerts.md
// says how. It sees a [Window], and nothing of the rules that decide.
//
// # To add a fact
//
// Its name and type in rego/input.schema.json and in the full request of
// input_test.go; the operation that knows it puts it into [Facts].
//
// # To add a role
//
// Its row in rego/data.json, with a rank if it is on the ladder; then the rules
// that name it.
//
// # To mask a field
//
// Its path in rego/mask.rego, with a reason. mask_rules.go has what may never be
// masked: when the log comes to need another field, it belongs there.
//
// # To add a builtin
//
// Its name in compiler.go, if it depends on its operands alone and can't make
// much out of little.
package policies
