package admin

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type grantView struct {
	ID          string     `json:"id"`
	ClientID    string     `json:"client_id"`
	ClientName  string     `json:"client_name"`
	SubjectType string     `json:"subject_type"` // customer, staff or client
	Subject     string     `json:"subject"`
	Scopes      []string   `json:"scopes"`
	AuthTime    *time.Time `json:"auth_time"`
	AMR         []string   `json:"amr"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	RevokedAt   *time.Time `json:"revoked_at"`
	RevokedBy   string     `json:"revoked_by,omitempty"`
	Audience    []string   `json:"audience"` // empty: the tenant's API
	LastUsedAt  *time.Time `json:"last_used_at"`
	LastIP      string     `json:"last_ip,omitempty"`
	SessionID   string     `json:"session_id,omitempty"`
	ParentID    string     `json:"parent_id,omitempty"` // the grant that was exchanged for it
	Act         raw        `json:"act,omitempty"`       // who acts for the subject
}

type raw = json.RawMessage

func viewGrant(g *store.Grant) any {
	return grantView{
		ID: g.ID, ClientID: g.ClientID, ClientName: g.ClientName, SubjectType: g.SubjectType, Subject: g.Subject,
		Scopes: shown(g.Scopes), AuthTime: when(g.AuthTime), AMR: shown(g.AMR), CreatedAt: g.CreatedAt.Time,
		ExpiresAt: g.ExpiresAt.Time, RevokedAt: when(g.RevokedAt), RevokedBy: g.RevokedBy,
		Audience: shown(g.Audience), LastUsedAt: when(g.LastUsedAt), LastIP: g.LastIP, SessionID: g.SessionID, ParentID: g.ParentID, Act: raw(g.Actor),
	}
}

type grantFilter struct {
	customer, client string
	live             bool
}

// Grants is /admin/api/grants: what people let clients do.
func (a *Admin) Grants() Handlers {
	n := &noun[store.Grant]{
		name: "grant", end: "revoke", view: viewGrant,
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.Grant, error) {
			return store.GetGrant(ctx, r, t.ID, id)
		},
		owner: func(g *store.Grant) string { return g.Subject },
		remove: func(ctx context.Context, tx *store.Tx, c *gate.Call, g *store.Grant) error {
			return errors.Join(tx.RevokeGrant(ctx, g.Tenant, g.ID, c.Caller.ID), forgetOf(ctx, tx, g))
		},
	}
	l := &list[store.Grant, grantFilter]{
		name: n.name, view: viewGrant,
		place: func(g *store.Grant) place { return place{ID: g.ID, At: g.CreatedAt} },
		filter: func(f *web.Fields) (by grantFilter) {
			by.customer, _ = matching(f, "customer", idPattern)
			by.client, _ = matching(f, "client", idPattern)
			by.live, _ = f.Bool("live")
			return by
		},
		rows: a.grantRows,
	}
	return n.handlers(a, l.handler(a))
}

func (a *Admin) grantRows(ctx context.Context, r store.Reader, q *query[grantFilter]) ([]store.Grant, error) {
	f := store.GrantFilter{
		Tenant: q.tenant.ID, Client: q.filter.client, Subject: q.filter.customer,
		After: store.GrantPosition{CreatedAt: q.after.At, ID: q.after.ID}, Limit: q.limit,
	}
	if q.filter.live {
		f.LiveAt = store.At(a.Gate.Now())
	}
	return store.Grants(ctx, r, f)
}

// forgetOf has the person asked again: else the client could have the same
// without a question.
func forgetOf(ctx context.Context, tx *store.Tx, g *store.Grant) error {
	return tx.Forget(ctx, store.ConsentMatch{Tenant: g.Tenant, Client: g.ClientID, User: g.Subject})
}
