package oauth2

import (
	"context"
	"errors"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Act is what the policy is asked about before anything is given: who would get
// what, through which client.
type Act struct {
	Action      string        // noun.verb: token.issue, consent.grant, …
	Client      *store.Client // that acts, or that is acted for; nil: none
	Method      string        // how the client proved who it is, by its name in RFC 7591; session, where a person acts
	SubjectType string        // customer, staff or client
	Subject     string
	Roles       []string  // of a member of staff
	Actor       string    // the client that would act for the subject; empty: none
	Scopes      []string  // that what is given would have
	AuthTime    time.Time // when the person logged in; zero for clients
	AMR         []string
	Bound       string // what the tokens will be bound to: BoundDPoP, BoundMTLS or ""
	GrantID     string
	// Object is what it is about; an empty ID is nothing that could be understood.
	Object Object
	Facts  map[string]any // see policies.Facts
}

// Object is the resource of an [Act]; it belongs to the tenant of the request.
type Object struct{ Type, ID, Owner string }

// Prepared is what a request comes to if the policy allows it. Everything that
// could be refused without a write has been looked at, and nothing is written.
// It belongs to one goroutine.
type Prepared[T any] struct {
	Act
	x      *exchange
	answer func() T
}

// Commit gives what was asked for, inside of the write that records the
// decision; it may be called again where the write is. An *[Error] refuses: the
// write must be undone unless Kept says otherwise. Any other error is of the
// store.
func (p *Prepared[T]) Commit(ctx context.Context, tx *store.Tx) (answer T, err error) {
	if err := p.x.run(ctx, tx); err != nil {
		return answer, err
	}
	return p.answer(), nil
}

// run does the steps; a refusal of which the steps before it must stay is Kept.
func (x *exchange) run(ctx context.Context, tx *store.Tx) error {
	for _, s := range x.steps {
		err := s(ctx, tx)
		if k := (kept{}); errors.As(err, &k) {
			k.refusal.Kept = true
			return k.refusal
		}
		if err != nil {
			return err
		}
	}
	if x.event != nil {
		x.record(tx, x.event)
	}
	return nil
}

// facts are what rules may want to know of any grant of a client.
func (x *exchange) facts(grantType, audience string) map[string]any {
	return map[string]any{
		"grant_type": grantType, "audience": audience,
		"client_grant_types": []string(x.client.GrantTypes), "client_scopes": []string(x.client.Scopes),
		"client_registered_by": x.client.RegisteredBy,
	}
}

// actOn is an act about a grant.
func (x *exchange) actOn(action string, grant Object, s store.Standing, scopes []string) Act {
	x.standing = s
	return Act{
		Action: action, Client: x.client.Client, Method: x.method, SubjectType: s.SubjectType, Subject: s.Subject, Roles: s.Roles,
		Scopes: scopes, AuthTime: s.AuthTime.Time, AMR: s.AMR, Bound: boundBy(x.cnf), GrantID: grant.ID, Object: grant,
	}
}
