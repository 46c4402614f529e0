package web

import "time"

// Status is what became of the credential that a request carried.
type Status string

// The statuses; anything but Valid is turned into a 401 by the policy.
const (
	Missing Status = "missing"
	Valid   Status = "valid"
	Invalid Status = "invalid"
	Expired Status = "expired"
	Revoked Status = "revoked"
)

// ProofAlgs are the algorithms of DPoP proofs that are taken, as challenges list
// them (RFC 9449 §7.1).
const ProofAlgs = "ES256 RS256 PS256 EdDSA"

// Caller is what authentication found out about who is calling: facts, no
// judgement. The zero value with Status Missing is the anonymous caller.
type Caller struct {
	Method string // oauth2, api_key, api_token, session; "none" without a credential
	Status Status
	Type   string // customer, staff, client, system, anonymous
	ID     string // within the tenant; empty for anonymous
	Tenant string // the tenant that the credential belongs to; not always the host's
	Roles  []string
	Scopes []string

	ClientID string
	Trusted  bool // the client may act on any customer of its tenant
	// Actor is the client that acts for the person, by a token that it exchanged
	// (RFC 8693); empty: none does.
	Actor string

	IssuedAt time.Time // of the credential
	AuthTime time.Time // when the person logged in; zero for machines
	AMR      []string
	ACR      string // the class of that login; empty for machines
	// Bound is how the credential is bound to a key that the caller has shown to
	// have: dpop (RFC 9449) or mtls (RFC 8705); empty: whoever has it may use it.
	Bound    string
	GrantID  string // the grant or key that the credential came from
	Resource string // the audience it is for; empty: any of the tenant

	// DPoP says that the credential came by the scheme of that name. Fault and
	// FaultDetail are what was wrong with the proof of its key, in a code and words
	// that the caller may know; empty: nothing was.
	DPoP               bool
	Fault, FaultDetail string
}

// Anonymous is a caller without a usable credential.
func Anonymous(method string, status Status) Caller {
	return Caller{Method: method, Status: status, Type: "anonymous"}
}
