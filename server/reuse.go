package server

import (
	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// RecordReuse makes the event of a code or refresh token that was shown again
// after its use: a record, in the write that revokes the grant.
func RecordReuse(labels map[string]string) func(tx *store.Tx, r oauth2.Reuse) {
	return func(tx *store.Tx, r oauth2.Reuse) {
		h := gate.Happening{
			ID: newID(), At: r.At, Tenant: r.Tenant, Action: "token.reuse", Code: r.Kind + "_reuse", Status: 400,
			Subject: r.Subject, Client: r.ClientID, Resource: r.GrantID, Labels: labels,
			Custom: map[string]any{"grant": r.GrantID, "subject_type": r.SubjectType},
		}
		tx.Record(h.Record())
	}
}
