package admin

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Admin has what the handlers need. All fields but those marked optional are
// set before use. Its methods make handlers; each is called once per route.
type Admin struct {
	Gate    *gate.Gate
	Store   *store.DB
	Cursors web.Cursors
	// Roles lists the names in the policy's role table.
	Roles func() []string
	// ScopesOf are the scopes that a member of staff with these roles may have.
	ScopesOf func(roles []string) []string
	// Hash makes the hash of a password; it runs outside of transactions.
	Hash func(ctx context.Context, password string) (string, error)
	// Trail makes proofs and keeps the log's keys. Optional: without it there are none.
	Trail Trail
	// Eraser looks who and what an erasure is about.
	Eraser Eraser
	// Signing makes the keys that sign tokens.
	Signing SigningKeys
	// AuthMethods are the ways in which clients can prove who they are at this
	// server. Optional: without it, all that there are.
	AuthMethods func() []string
	// Pseudonym stands for a value of which records must not say what it is: the
	// same for the same value, and nobody without the key can tell which. Optional.
	Pseudonym func(value string) string
	// NewID makes the random part of an id. Optional.
	NewID func() string
}

func (a *Admin) newID(prefix string) string {
	if a.NewID != nil {
		return prefix + a.NewID()
	}
	return prefix + strings.ToLower(rand.Text())
}

// idPattern is what an id in a path can be. Anything else names nothing, and
// must not reach a database that would refuse its bytes.
var idPattern = web.IDPattern

// pathID is the id in the path; empty if it can't be one.
func pathID(r *web.Request) string {
	if id := r.Params["id"]; idPattern.MatchString(id) {
		return id
	}
	return ""
}

// noQuery refuses parameters where there are none.
func noQuery(r *web.Request) *web.Problem {
	f, p := web.ParseQuery(r.RawQuery)
	if p != nil {
		return p
	}
	return f.Problem()
}
