package oauth2

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/store"
)

// EventKind is what the Provider did without a decision.
type EventKind int

// The kinds of [Event].
const (
	Denied        EventKind = iota + 1 // a person did not approve
	RevokedByApp                       // a token, by its client
	ReuseDetected                      // a code or refresh token was used again; its grant is revoked
	KeyCreated                         // a key that signs tokens
	KeyDestroyed                       // the private half of one that signs no more
)

// Event is what the Provider did without a decision, for the log. It holds no
// code, token or secret.
type Event struct {
	Kind        EventKind
	At          time.Time
	Tenant      string
	GrantID     string // empty where there is none
	ClientID    string // that the grant is for
	SubjectType string // customer, staff or client
	Subject     string
	// Client says whether the client has proven who it is; a public one can't.
	// False where a person acts.
	Client bool
	// Type is what was revoked or used again: code, access_token or refresh_token;
	// of a key, its algorithm.
	Type string
	// ShownBy is the client that used a code or token again.
	ShownBy string
	Asked   []string  // scopes, of a consent
	KeyID   string    // of a signing key
	Since   time.Time // from which it signs
}

// about begins an event about a grant.
func (x *exchange) about(kind EventKind, grant, client, subjectType, subject string) *Event {
	return &Event{
		Kind: kind, At: x.now, Tenant: x.tenant.ID, GrantID: grant, ClientID: client, SubjectType: subjectType, Subject: subject,
		Client: x.client != nil && !x.client.Public,
	}
}

// recordTo is the Provider's Record with the context of this request.
func (p *Provider) recordTo(ctx context.Context) func(tx *store.Tx, e *Event) {
	return func(tx *store.Tx, e *Event) { p.record(ctx, tx, *e) }
}
