// Package oauth2 is the authorization server: codes, tokens and the grants that
// they come from (RFC 6749 with the rules of RFC 9700), for clients of one
// tenant at a time. It owns the scope table, the format of tokens, and what a
// client may register. It knows neither HTTP routes nor pages, decides no
// question of permission, and leaves rows to package store.
//
// A consent makes a [store.Grant]; its id is fosite's request id. Codes, access
// and refresh tokens belong to a grant and die with it. A request that waits
// for consent is kept by nobody: see [Flow].
//
// What a client demands of the login (prompt, max_age, acr_values) goes to the
// login page and back sealed with the request, and the session's own time says
// whether it was met: see [Flow.Suits]. A client's request to log a person out is
// a [Logout]; clients that a session's end is to be told to are noted by the
// store, in the write that ends it.
//
// What a request comes to is a [Prepared]: all that can be refused without a write
// has been looked at, and an [Act] says what the policy is to be asked about.
// The gate commits it with the record of the decision. What needs no decision is
// told to Config.Record inside of the write that does it: a no, a revocation by
// the client, a second use. See [Event].
//
// # What it refuses
//
//   - a code request without PKCE S256, from anyone, before anyone logs in
//   - implicit, hybrid and password grants; request objects; response modes
//     other than query; every audience but the tenant's API and its registered resources
//   - a parameter given twice, credentials given in two ways or in a URL
//   - a code or refresh token for the second time: the grant is revoked
//
// # Where it departs from fosite, and why
//
// fosite v0.49.0 is the last of its line, so its faults are ours to keep out.
// Kept are its checks of authorization requests, its HMAC of tokens, its code,
// PKCE and client_credentials handlers, and its Hasher. Replaced or wrapped:
//
//   - Storage: statements are collected, and run in the one write of the decision
//     about them, where a code is redeemed by a conditional update. fosite reads
//     before its transaction, so two redemptions of one code could both succeed
//     (#778). The loser gets invalid_grant, not the 500 that fosite would make
//     of it, and the winner's tokens die, as after any second use.
//   - The refresh handler is our own: fosite ignores the scope parameter (#696),
//     rotates by request id, which kills the token of a parallel request, calls
//     a bad token invalid_request (#747), and has no grace. Ours replays one
//     answer within the grace, so there are never two chains.
//   - PKCE is checked before login. fosite checks when the code is issued, does
//     not look at the challenge's form, and deletes the challenge before it
//     compares: ours is a column of the code. A wrong verifier does not burn the
//     code; without the right one it is worth nothing in its 60 seconds.
//   - Client authentication is our own: fosite returns early for unknown clients,
//     which tells who exists, and accepts two methods at once. bcrypt is
//     replaced by SHA-256: see [HashSecret]. A client is held to the method that
//     it is registered for.
//   - Assertions of clients (RFC 7523) live for five minutes at most, are for
//     this tenant and nobody else, and are used up per client by an insert in a
//     write of its own, before anything is answered: in the write of what they
//     buy, an assertion would stay good where its request is refused. fosite
//     bounds no exp, has one jti for all clients, and looks before it writes.
//     Keys at an address come through [Fetcher], and not by fosite's client.
//   - DPoP (RFC 9449) and bindings to certificates (RFC 8705 §3) are our own:
//     fosite has neither. Client and key are both sure before a code or a token is
//     looked at, and a proof is used up in the write of what it buys: where its
//     request is refused, it stays good for nothing but the same key. At the API
//     it is used up in a write of its own.
//   - The device grant (RFC 8628) and token exchange (RFC 8693) are our own: fosite
//     v0.49 has neither. An approval makes the grant, of which the device gets the
//     first tokens once; as with codes, a second time ends them. An exchange makes
//     a grant with a parent: what ends that ends this, in the same statement. That
//     a token is bound does not keep it from being exchanged, though its new holder
//     can't show the key: RFC 8693 is silent, and a service that could not go on
//     with a bound token would make apps use others.
//   - Pushed requests (RFC 9126) are our own: fosite lets a client push for
//     another, keeps its secret with the request, reads before it deletes, lets
//     anyone burn a handle, and merges in what the browser brings. Ours is used
//     up at the first visit, by who brings the client's id with it; from there
//     on the request travels sealed, so it survives a login, and a reload of
//     that first address begins anew at the client.
//   - Introspection is our own: fosite lets any live token and any client ask
//     about any token, and asks the database before it checks the HMAC.
//   - Revocation is our own: fosite answers 200 when the store failed (#644).
//   - Errors: an allow-list of codes with fixed texts. fosite's hints name
//     registered addresses and network errors, and some codes are of no RFC.
//   - state is optional and of any length (#267). iss is on every answer.
//   - Loopback addresses: only the port may differ; fosite also takes another
//     scheme for the registered one. http://localhost must match to the port.
//   - Unknown grant types are unsupported_grant_type, public clients that want
//     client_credentials unauthorized_client.
//   - resource (RFC 8707) replaces fosite's audience, which is not read: one in
//     each authorization, the same from the request to the last refresh.
//   - Consent is remembered, which fosite leaves to others: see
//     [Provider.ApproveAgain]. It is never taken for granted where another app
//     could be the one that asks (RFC 8252 §8.6).
//   - Times come from one clock, that of [Config]; fosite's own are not used.
//   - Each kind of token has its prefix and its own key, derived from the whole
//     secret; fosite uses only the first 32 bytes, for all kinds.
//   - JWT access tokens (RFC 9068) and ID tokens are our own: fosite has one key
//     and no EdDSA, lets an ID token pass as an access token, does not see
//     revocations, and runs its OpenID Connect outside of the transaction. Here a
//     token's head is compared with those that our keys make, so neither alg nor
//     kid is interpreted; what is verified leads by its jti to the row that an
//     opaque token has, and the row says what it is good for today.
//
// # Signing keys
//
// Each tenant has keys of its own, one that signs for each algorithm. A key is
// published for [KeyLead] before it signs, and until all that it has signed has
// ended; its private half, which is sealed in the store, is destroyed when it
// signs no more. Nodes read the keys anew every few seconds, and at most once a
// second for a token of a key that they do not know.
//
// # To add a scope
//
//   - its row in scopes.go
//   - the rule that asks for it, and its test, in policies/rego
//   - its line in the consent script under tests/flows
//
// # To add a grant type
//
//   - a fosite.TokenEndpointHandler of its own, appended in newFosite; what it
//     writes waits in the exchange (exchange.add), with an [Act] for the policy
//   - its name in grantTypes (register.go) and checkTokenRequest (token.go)
//   - its cases in server/oauth, with a parallel one
package oauth2
