package admin

import (
	"context"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

const (
	defaultLimit = 50
	maxLimit     = 200
)

// list is one list. R is its row, F what narrows it.
type list[R, F any] struct {
	name   string // of the resource and in the action
	filter func(f *web.Fields) F
	rows   func(ctx context.Context, r store.Reader, q *query[F]) ([]R, error)
	place  func(*R) place
	view   func(*R) any
}

// query is one request for a part of a list.
type query[F any] struct {
	tenant *store.Tenant
	filter F
	after  place // the zero one is the beginning
	limit  int   // one more than is shown, to know whether there is more
	list   string
}

// place is a position in a list: whichever of its members the list is ordered by.
type place struct {
	ID    string     `json:"id,omitempty"`
	At    store.Time `json:"at,omitzero"`
	Index int64      `json:"index,omitempty"`
}

func (l *list[R, F]) handler(a *Admin) fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[query[F]]{
		Action: l.name + ".list",
		Parse:  func(r *web.Request, q *query[F]) *web.Problem { return l.parse(a, r, q) },
		Facts: func(context.Context, store.Reader, *gate.Call, *query[F]) (policies.Resource, policies.Facts, error) {
			return policies.Resource{Type: l.name}, nil, nil
		},
		Read: func(ctx context.Context, r store.Reader, _ *gate.Call, q *query[F]) (*web.Answer, error) {
			rows, err := l.rows(ctx, r, q)
			if err != nil {
				return nil, err
			}
			return web.JSON(fiber.StatusOK, l.page(a, q, rows)), nil
		},
	})
}

func (l *list[R, F]) parse(a *Admin, r *web.Request, q *query[F]) *web.Problem {
	f, p := web.ParseQuery(r.RawQuery)
	if p != nil {
		return p
	}
	q.tenant, q.limit, q.list = r.Tenant, defaultLimit+1, listName(l.name, r)
	if n, ok := f.Int("limit", 1, maxLimit); ok {
		q.limit = int(n) + 1
	}
	if cursor, ok := f.String("cursor", 1024); ok {
		if p := a.Cursors.Open(q.list, cursor, &q.after); p != nil {
			return p
		}
	}
	q.filter = l.filter(f)
	return f.Problem()
}

// listName holds all that narrows a list, so that a cursor is good for no other.
func listName(name string, r *web.Request) string {
	v, err := url.ParseQuery(r.RawQuery)
	if err != nil {
		return "" // web.ParseQuery has refused it before
	}
	v.Del("cursor")
	v.Del("limit")
	return name + " " + r.Tenant.ID + " " + v.Encode()
}

func (l *list[R, F]) page(a *Admin, q *query[F], rows []R) web.List[any] {
	out := web.List[any]{Data: []any{}}
	shown := min(len(rows), q.limit-1)
	for i := range rows[:shown] {
		out.Data = append(out.Data, l.view(&rows[i]))
	}
	if shown < len(rows) {
		out.NextCursor = a.Cursors.Make(q.list, l.place(&rows[shown-1]))
	}
	return out
}

// none is the filter of lists that have none.
func none(*web.Fields) struct{} { return struct{}{} }
