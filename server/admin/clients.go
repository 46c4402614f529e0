package admin

import (
	"context"
	"slices"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Clients is /admin/api/clients.
func (a *Admin) Clients() Handlers {
	n := a.clients()
	l := &list[store.Client, struct{}]{
		name: n.name, filter: none, view: n.view,
		place: func(c *store.Client) place { return place{ID: c.ID} },
		rows: func(ctx context.Context, r store.Reader, q *query[struct{}]) ([]store.Client, error) {
			return store.Clients(ctx, r, q.tenant.ID, q.after.ID, q.limit)
		},
	}
	return a.reloading(n.handlers(a, l.handler(a)))
}

func (a *Admin) clients() *noun[store.Client] {
	return &noun[store.Client]{
		name: "client", end: "delete",
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.Client, error) {
			return store.GetClient(ctx, r, t.ID, id)
		},
		id:      func(c *store.Client) string { return c.ID },
		view:    func(c *store.Client) any { return viewClient(c) },
		members: clientMembers,
		fresh: func(c *gate.Call) *store.Client {
			return &store.Client{Tenant: c.Tenant.ID, ID: a.newID("cli_"), CreatedAt: store.At(c.Now), RefreshGrace: defaultGrace}
		},
		insert: a.insertClient, update: a.updateClient,
		remove: func(ctx context.Context, tx *store.Tx, c *gate.Call, row *store.Client) error {
			return tx.DeleteClient(ctx, row.Tenant, row.ID, c.Caller.ID)
		},
	}
}

const defaultGrace = 30 // seconds

// checkClient asks what may be registered, of the client as it will be. was is
// how it proved itself until now: a method that this server has no more can be
// kept, so that such a client can still be switched off.
func (a *Admin) checkClient(c *store.Client, was string) error {
	var errs []web.FieldError
	if a.AuthMethods != nil && c.AuthMethod != "" && c.AuthMethod != was && !slices.Contains(a.AuthMethods(), c.AuthMethod) {
		errs = append(errs, web.FieldError{Field: "token_endpoint_auth_method", Code: "invalid", Detail: "This server is not set up for it: see token_endpoint_auth_methods_supported of its metadata."})
	}
	for _, fault := range oauth2.CheckClient(c) {
		errs = append(errs, web.FieldError{Field: fault.Field, Code: "invalid", Detail: fault.Detail})
	}
	if c.Trusted && !c.GrantTypes.Has("client_credentials") {
		errs = append(errs, web.FieldError{Field: "trusted", Code: "invalid", Detail: "Only a client that speaks for itself (client_credentials) can be trusted."})
	}
	if len(errs) > 0 {
		return web.Unprocessable(errs...)
	}
	return nil
}

func (a *Admin) insertClient(ctx context.Context, tx *store.Tx, c *gate.Call, row *store.Client) (any, error) {
	if err := a.checkClient(row, ""); err != nil {
		return nil, err
	}
	if err := tx.InsertClient(ctx, row); err != nil {
		return nil, err
	}
	v := viewClient(row)
	if !oauth2.HasSecret(row) {
		return v, nil
	}
	var err error
	v.Secret, err = a.newSecret(ctx, tx, row, store.At(c.Now))
	return v, err
}

func (a *Admin) updateClient(ctx context.Context, tx *store.Tx, c *gate.Call, was, row *store.Client) error {
	if err := a.checkClient(row, was.AuthMethod); err != nil {
		return err
	}
	if err := tx.UpdateClient(ctx, row); err != nil {
		return err
	}
	if oauth2.HasSecret(was) && !oauth2.HasSecret(row) { // it must not come back with the method
		if _, err := tx.ExpireClientSecrets(ctx, row.Tenant, row.ID, store.At(c.Now)); err != nil {
			return err
		}
	}
	if was.DisabledAt.IsZero() && !row.DisabledAt.IsZero() {
		_, err := endAll(ctx, tx, revocation{tenant: row.Tenant, client: row.ID}, c.Caller.ID)
		return err
	}
	return nil
}
