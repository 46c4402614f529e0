package admin

import (
	"context"
	"errors"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type resourceView struct {
	ID         string     `json:"id"`
	URI        string     `json:"uri"`
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes"`
	Open       bool       `json:"open"`
	CreatedAt  time.Time  `json:"created_at"`
	DisabledAt *time.Time `json:"disabled_at"`
}

func viewResource(s *store.Resource) any {
	return resourceView{
		ID: s.ID, URI: s.URI, Name: s.Name, Scopes: shown(s.Scopes), Open: s.Open, CreatedAt: s.CreatedAt.Time, DisabledAt: when(s.DisabledAt),
	}
}

// Resources is /admin/api/resources: what tokens can be for besides the tenant's
// API.
func (a *Admin) Resources() Handlers {
	n := &noun[store.Resource]{
		name: "resource", end: "delete", view: viewResource, members: resourceMembers,
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.Resource, error) {
			return store.GetResource(ctx, r, t.ID, id)
		},
		id: func(s *store.Resource) string { return s.ID },
		fresh: func(c *gate.Call) *store.Resource {
			return &store.Resource{Tenant: c.Tenant.ID, ID: a.newID("res_"), CreatedAt: store.At(c.Now)}
		},
		insert: insertResource, update: updateResource,
		remove: func(ctx context.Context, tx *store.Tx, c *gate.Call, s *store.Resource) error {
			return errors.Join(endResource(ctx, tx, c, s), tx.DeleteResource(ctx, s.Tenant, s.ID))
		},
	}
	l := &list[store.Resource, struct{}]{
		name: n.name, filter: none, view: viewResource,
		place: func(s *store.Resource) place { return place{ID: s.ID} },
		rows: func(ctx context.Context, r store.Reader, q *query[struct{}]) ([]store.Resource, error) {
			return store.Resources(ctx, r, q.tenant.ID, q.after.ID, q.limit)
		},
	}
	return n.handlers(a, l.handler(a))
}

func resourceMembers(f *web.Fields, in *input[store.Resource]) {
	if in.created {
		f.Require("uri", "name", "scopes")
		if v, ok := f.String("id", 64); ok {
			in.set(func(s *store.Resource) { s.ID = v })
		}
		if v, ok := f.String("uri", maxWord); ok {
			in.set(func(s *store.Resource) { s.URI = v })
		}
	} else {
		disabled(f, in, func(s *store.Resource) *store.Time { return &s.DisabledAt })
	}
	notNull(f, "name", "scopes", "open", "disabled")
	if v, ok := line(f, "name"); ok {
		in.set(func(s *store.Resource) { s.Name = v })
	}
	if v, ok := words(f, "scopes"); ok {
		in.set(func(s *store.Resource) { s.Scopes = v })
	}
	if v, ok := f.Bool("open"); ok {
		in.set(func(s *store.Resource) { s.Open = v })
	}
}

func checkResource(t *store.Tenant, s *store.Resource) error {
	var errs []web.FieldError
	for _, fault := range oauth2.CheckResource(t, s) {
		errs = append(errs, web.FieldError{Field: fault.Field, Code: "invalid", Detail: fault.Detail})
	}
	if len(errs) > 0 {
		return web.Unprocessable(errs...)
	}
	return nil
}

func insertResource(ctx context.Context, tx *store.Tx, c *gate.Call, s *store.Resource) (any, error) {
	if err := checkResource(c.Tenant, s); err != nil {
		return nil, err
	}
	switch _, err := store.ResourceAt(ctx, tx, s.Tenant, s.URI, oauth2.OtherSpelling(s.URI)); {
	case err == nil:
		return nil, store.ErrExists
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	return viewResource(s), tx.InsertResource(ctx, s)
}

func updateResource(ctx context.Context, tx *store.Tx, c *gate.Call, was, s *store.Resource) error {
	if err := checkResource(c.Tenant, s); err != nil {
		return err
	}
	if was.DisabledAt.IsZero() && !s.DisabledAt.IsZero() {
		if err := endResource(ctx, tx, c, s); err != nil {
			return err
		}
	}
	return tx.UpdateResource(ctx, s)
}

// endResource ends what was given for a resource: nobody is to be told that its
// tokens are good.
func endResource(ctx context.Context, tx *store.Tx, c *gate.Call, s *store.Resource) error {
	_, _, err := tx.RevokeGrants(ctx, store.GrantMatch{Tenant: s.Tenant, Audience: s.URI}, c.Caller.ID)
	return errors.Join(err, tx.Forget(ctx, store.ConsentMatch{Tenant: s.Tenant, Audience: s.URI}))
}
