package server

import (
	"context"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// RecordOAuth makes what package oauth2 calls, inside its write, for what it did
// without a decision: the event stands in the log of the same commit. mask may
// be nil.
func RecordOAuth(labels map[string]string, mask gate.Mask) func(ctx context.Context, tx *store.Tx, e oauth2.Event) {
	events := &gate.Events{NewID: newID, Labels: labels, Mask: mask}
	return func(ctx context.Context, tx *store.Tx, e oauth2.Event) {
		tx.Record(events.Record(oauthEvent(ctx, e)))
	}
}

// oauthEvent is the log's view of e.
func oauthEvent(ctx context.Context, e oauth2.Event) gate.Event {
	if what := keyEvent(e); what != nil {
		ev := gate.System(e.Tenant, what, gate.Party{Type: "signing_key", ID: e.KeyID})
		ev.At, ev.Request = e.At, web.EventIn(ctx)
		return ev
	}
	ev := gate.Event{
		At: e.At, Tenant: e.Tenant, Client: e.ClientID, Grant: e.GrantID, Request: web.EventIn(ctx),
		Subject: gate.Party{Type: e.SubjectType, ID: e.Subject}, Resource: gate.Party{Type: "grant", ID: e.GrantID},
		Proof: gate.Proof{Method: "none", Status: web.Missing},
	}
	if e.Client {
		ev.Proof = gate.Proof{Method: "client_secret", Status: web.Valid}
	}
	switch e.Kind {
	case oauth2.Denied:
		ev.Proof = gate.Proof{Method: "session", Status: web.Valid}
		ev.Resource = gate.Party{Type: "client", ID: e.ClientID}
		ev.What = gate.ConsentDenied{Asked: e.Asked}
	case oauth2.RevokedByApp:
		ev.What = gate.TokenRevoked{Type: gate.TokenType(e.Type)}
	case oauth2.ReuseDetected:
		ev.What = gate.TokenReused{Type: gate.TokenType(e.Type), ShownBy: e.ShownBy}
	}
	return ev
}

// keyEvent is what became of a signing key; nil if e is about something else.
func keyEvent(e oauth2.Event) gate.What {
	switch e.Kind {
	case oauth2.KeyCreated:
		return gate.SigningKeyCreated{Alg: e.Type, SignsFrom: e.Since}
	case oauth2.KeyDestroyed:
		return gate.SigningKeyDestroyed{Alg: e.Type}
	}
	return nil
}
