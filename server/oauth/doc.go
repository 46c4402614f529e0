// Package oauth is the OAuth2 endpoints: it reads what they are sent, strictly
// and out of Fiber's reused buffers, asks package oauth2, and writes the answer
// as the RFCs say. It decides nothing and holds no state: what is to be given is
// an oauth2.Prepared, which [decide] takes through the gate.
//
// It does not use Fiber's adaptor to net/http: that would merge doubled headers,
// hand on strings that the next request overwrites, and accept multipart.
//
// # What it refuses
//
//   - any body but application/x-www-form-urlencoded, and any query at the
//     endpoints for clients: secrets in URLs end up in logs
//   - a form that is not valid UTF-8, holds NUL, is malformed or too large
//   - two Authorization headers
//
// What is refused, for its form or for its content, is counted among the refusals
// that the log sums up. What is given is a decision with its record; what is
// ended without one, package oauth2 records in the write that does it.
//
// Of a refusal the caller learns a code of an RFC and a fixed description; the
// cause goes to the access log.
//
// # To add an endpoint
//
//   - what it does in package oauth2
//   - a method here that returns its handler, by [OAuth.endpoint] if it is for
//     clients, and by [decide] or [ask], so that the policy is asked
//   - its rule under policies/rego/oauth/<noun>/<verb>, test first
//   - its place in oauth2.Provider.Metadata, and a line in routes.go
package oauth
