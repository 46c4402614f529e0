package oauth2

import "slices"

const (
	offline = "offline_access"
	openid  = "openid"
)

// Scope is one row of the scope table: what it lets a client do, in the words
// of the consent page, and whose tokens may have it. What it opens is decided
// by the policy alone.
type Scope struct {
	Name     string
	Text     string // completes "… would like to", for a customer
	ForStaff string // the same for a member of staff, where it differs
	Customer bool   // a customer may give it to a client
	Staff    bool   // a member of staff may
	Client   bool   // a client may have it for itself
	API      bool   // of the API of the tenant; the others speak to this server
}

var scopes = []Scope{
	{Name: "points:read", Text: "see your points and their history", ForStaff: "see the points of customers and their history", Customer: true, Staff: true, Client: true, API: true},
	{Name: "points:write", Text: "spend points for you", ForStaff: "spend and hold points of customers", Customer: true, Staff: true, Client: true, API: true},
	{Name: "points:transfer", Text: "send your points to other people", Customer: true, API: true},
	{Name: "points:adjust", Text: "change the points of customers in your name", Staff: true, API: true},
	{Name: "policy:read", Text: "see the policies", Staff: true, API: true},
	{Name: "policy:write", Text: "change the policies in your name", Staff: true, API: true},
	{Name: "audit:read", Text: "see the audit trail", Staff: true, API: true},
	{Name: "admin", Text: "administer this organisation in your name", Staff: true, API: true},
	{Name: openid, Text: "know who you are", Customer: true, Staff: true},
	{Name: "email", Text: "know your email address", Customer: true, Staff: true},
	{Name: "profile", Text: "know your name", Customer: true, Staff: true},
	{Name: offline, Text: "stay signed in", Customer: true, Staff: true},
}

// Words is what the scope lets a client do, as it is told to a person of this
// type (customer, staff).
func (s Scope) Words(subjectType string) string {
	if subjectType == "staff" && s.ForStaff != "" {
		return s.ForStaff
	}
	return s.Text
}

// Scopes is the scope table.
func Scopes() []Scope { return slices.Clone(scopes) }

// ScopeNamed finds a row by its exact name.
func ScopeNamed(name string) (Scope, bool) {
	for _, s := range scopes {
		if s.Name == name {
			return s, true
		}
	}
	return Scope{}, false
}

// MayHold reports whether a subject of this type (customer, staff, client) may
// have the scope in a token.
func MayHold(subjectType, scope string) bool {
	s, ok := ScopeNamed(scope)
	switch subjectType {
	case "customer":
		return ok && s.Customer
	case "staff":
		return ok && s.Staff
	case "client":
		return ok && s.Client
	}
	return false
}

// holdable are those of names that the subject type may hold.
func holdable(subjectType string, names []string) []string {
	return keep(names, func(n string) bool { return MayHold(subjectType, n) })
}

// useful reports whether the scopes allow anything: to stay signed in, without
// more, is no reason for a grant.
func useful(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return n != offline })
}

// keep is a new list of the strings that are wanted, each once.
func keep(all []string, wanted func(string) bool) []string {
	var out []string
	for _, s := range all {
		if wanted(s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func within(all []string) func(string) bool {
	return func(s string) bool { return slices.Contains(all, s) }
}
