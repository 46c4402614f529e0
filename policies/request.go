package policies

import "time"

// Request is the question that rules see as `input`: a superset of an AuthZEN
// 1.0 evaluation request. Its strings must not alias reused buffers. An empty
// id or tenant of the subject, client, actor or host is undefined in `input`, and
// so are an empty Bound and Fault.
type Request struct {
	Subject  Subject
	Action   string // noun.verb
	Resource Resource
	Context  Context
}

// Subject is who asks.
type Subject struct {
	Type   string // customer, staff, client, system, anonymous
	ID     string // empty for anonymous alone
	Roles  []string
	Tenant string // the tenant that the credential belongs to
}

// Resource is what is asked for. With an empty ID, id, owner and tenant are
// undefined in `input`, and named is false: the request named nothing that could
// be understood. Rules ask named, so that ids stand in comparisons alone.
type Resource struct {
	Type   string // points_account, client, customer, grant, decision, …
	ID     string
	Owner  string // user id; empty where nobody owns it
	Tenant string // empty: there is no such thing
}

// Context is everything else.
type Context struct {
	Method    string // of authentication: oauth2, api_key, api_token, session, internal, none
	Status    string // of the credential: missing, valid, invalid, expired, revoked
	Age       int64  // seconds since the person logged in or the credential was issued
	AMR       []string
	Fault     string // what was wrong with the proof that a bound credential is the caller's; empty: nothing
	Bound     string // how the credential is bound to a key that the caller has shown: dpop or mtls; empty: it is not
	ACR       string // the class of the login; empty where no person logged in
	ClientID  string
	Trusted   bool
	Actor     string // the client that acts for the subject, by a token that was exchanged; empty: none does
	Scopes    []string
	Tenant    string // the tenant that the host names
	Home      bool   // it is the installation's first tenant
	RequestID string
	HTTP      string // the method
	Path      string
	IP        string
	Time      time.Time
	Facts     Facts
}

// Facts are scalars by name, int64, int, string or bool, or lists of strings;
// anything else fails the decision. None is the id of a person: erasures look for
// those where people stand. See input.schema.json for the names that there are.
type Facts map[string]any
