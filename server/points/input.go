package points

import (
	"bytes"
	"regexp"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

const maxReason = 500 // characters, also of an internal note

// parseBody reads the JSON object of a POST, which has no query. An empty body
// is an empty object: what is missing is told member by member.
func parseBody(r *web.Request) (*web.Fields, *web.Problem) {
	q, bad := web.ParseQuery(r.RawQuery)
	if bad == nil {
		bad = q.Problem()
	}
	if bad != nil {
		return q, bad
	}
	if len(bytes.TrimSpace(r.Body)) == 0 {
		return web.ParseObject([]byte("{}"))
	}
	return web.ParseObject(r.Body)
}

// parseQuery reads the parameters of a GET, which has no body: RFC 9110 §9.3.1
// gives one no meaning, and proxies differ in what they make of it.
func parseQuery(r *web.Request) (*web.Fields, *web.Problem) {
	f, bad := web.ParseQuery(r.RawQuery)
	if bad == nil && len(r.Body) > 0 {
		bad = web.BadRequest("A GET has no body.")
	}
	return f, bad
}

// amount reads points: 0 if they are not understood.
func amount(f *web.Fields) int64 {
	f.Require("points")
	n, _ := f.Int("points", 1, store.MaxPoints)
	return n
}

// reason reads why: the customer will read it in their history.
func reason(f *web.Fields) string {
	f.Require("reason")
	s, _ := f.String("reason", maxReason)
	return s
}

// customerID reads whom a member names; empty if it is not understood. What can
// be nobody's id is answered as an unknown customer's.
func customerID(f *web.Fields, name string) string {
	s, _ := f.String(name, 128)
	return web.ID(s)
}

var ownID = regexp.MustCompile(`^(txn|hld)_[a-z0-9]{1,64}$`)

// pathID reads the id in the path. What can't be one of ours never gets to the
// database or into a record as it came: it may hold any byte.
func pathID(r *web.Request) string {
	if id := r.Params["id"]; ownID.MatchString(id) {
		return id
	}
	return "unknown"
}
