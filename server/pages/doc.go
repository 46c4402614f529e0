// Package pages is what people see: sign in, consent, the account with its
// connected apps, sessions and (of staff) API tokens, the apps that a developer registers, the
// one-time setup, and errors. The pages are rendered here, work without a line of JavaScript, and
// load nothing that is not ours.
//
// What it promises:
//
//   - Every form carries a token that is bound to the browser, and is refused
//     when it comes from another site (see authn.Forms).
//   - Sign-in says the same, after the same work, for an unknown address and a
//     wrong password.
//   - Nobody is sent to a place outside of this server but the redirect URI that
//     a registered client has.
//   - Who signs in, and whose attempt failed, is in the log before the answer
//     leaves; so is what a person answered to a consent.
//   - A request that is refused for its form, or was tried too often, is counted
//     among the refusals that the log sums up.
//   - The pages under /account and the sign-out pass the gate; its refusals are
//     shown as pages.
//
// What it refuses: to decide. Who may see or end what is the policy's question;
// what a consent gives is package oauth2's.
//
// # To add a page
//
//   - <page>.go with a method that returns its handler; a protected one is a
//     gate.Operation given to protect
//   - templates/<page>.html, which defines "main" with one h1
//   - one line in the server's routes.go
//   - a look at it at the width of a phone and of a desk, in light and in dark
package pages
