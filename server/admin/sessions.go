package admin

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type sessionView struct {
	ID         string     `json:"id"`
	UserID     string     `json:"user_id"`
	AMR        []string   `json:"amr"`
	CreatedAt  time.Time  `json:"created_at"`
	LastSeenAt time.Time  `json:"last_seen_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	EndedAt    *time.Time `json:"ended_at"`
	IP         string     `json:"ip"`
	UserAgent  string     `json:"user_agent"`
}

func viewSession(s *store.Session) any {
	return sessionView{
		ID: s.ID, UserID: s.UserID, AMR: shown(s.AMR), CreatedAt: s.CreatedAt.Time, LastSeenAt: s.LastSeenAt.Time,
		ExpiresAt: s.ExpiresAt.Time, EndedAt: when(s.EndedAt), IP: s.IP, UserAgent: s.UserAgent,
	}
}

type sessionFilter struct {
	user string
	live bool
}

// Sessions is /admin/api/sessions: browsers in which people are signed in.
func (a *Admin) Sessions() Handlers {
	n := &noun[store.Session]{
		name: "session", end: "revoke", view: viewSession,
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.Session, error) {
			return store.GetSession(ctx, r, t.ID, id)
		},
		owner: func(s *store.Session) string { return s.UserID },
		remove: func(ctx context.Context, tx *store.Tx, _ *gate.Call, s *store.Session) error {
			if !s.EndedAt.IsZero() {
				return nil
			}
			return tx.EndSession(ctx, s.Tenant, s.ID)
		},
	}
	l := &list[store.Session, sessionFilter]{
		name: n.name, view: viewSession,
		place: func(s *store.Session) place { return place{ID: s.ID, At: s.CreatedAt} },
		filter: func(f *web.Fields) (by sessionFilter) {
			by.user, _ = matching(f, "user", idPattern)
			if customer, ok := matching(f, "customer", idPattern); ok {
				if by.user != "" {
					f.Wrong("customer", "invalid", "It is another word for user: send one of them.")
				}
				by.user = customer
			}
			by.live, _ = f.Bool("live")
			return by
		},
		rows: a.sessionRows,
	}
	return n.handlers(a, l.handler(a))
}

func (a *Admin) sessionRows(ctx context.Context, r store.Reader, q *query[sessionFilter]) ([]store.Session, error) {
	f := store.SessionFilter{
		Tenant: q.tenant.ID, User: q.filter.user,
		After: store.SessionPosition{CreatedAt: q.after.At, ID: q.after.ID}, Limit: q.limit,
	}
	if q.filter.live {
		f.OpenAt = store.At(a.Gate.Now())
	}
	return store.Sessions(ctx, r, f)
}
