package admin

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type clientView struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Public       bool       `json:"public"`
	Trusted      bool       `json:"trusted"`
	RedirectURIs []string   `json:"redirect_uris"`
	GrantTypes   []string   `json:"grant_types"`
	Scopes       []string   `json:"scopes"`
	Origins      []string   `json:"origins"`
	Introspects  []string   `json:"introspects"`
	RefreshGrace int64      `json:"refresh_grace"` // seconds
	CreatedAt    time.Time  `json:"created_at"`
	DisabledAt   *time.Time `json:"disabled_at"`
	Secret       string     `json:"client_secret,omitempty"` // in the answer that makes it
}

func viewClient(c *store.Client) clientView {
	return clientView{
		ID: c.ID, Name: c.Name, Public: c.Public, Trusted: c.Trusted,
		RedirectURIs: shown(c.RedirectURIs), GrantTypes: shown(c.GrantTypes), Scopes: shown(c.Scopes),
		Origins: shown(c.Origins), Introspects: shown(c.Introspects), RefreshGrace: c.RefreshGrace,
		CreatedAt: c.CreatedAt.Time, DisabledAt: when(c.DisabledAt),
	}
}

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
		insert: a.insertClient, update: updateClient,
		remove: func(ctx context.Context, tx *store.Tx, c *gate.Call, row *store.Client) error {
			return tx.DeleteClient(ctx, row.Tenant, row.ID, c.Caller.ID)
		},
	}
}

const defaultGrace = 30 // seconds

func clientMembers(f *web.Fields, in *input[store.Client]) {
	if in.created {
		f.Require("name")
		if v, ok := f.String("id", 64); ok {
			in.set(func(c *store.Client) { c.ID = v })
		}
		if v, ok := f.Bool("public"); ok {
			in.set(func(c *store.Client) { c.Public = v })
		}
	} else {
		disabled(f, in, func(c *store.Client) *store.Time { return &c.DisabledAt })
	}
	notNull(f, "name", "trusted", "grant_types", "disabled")
	if v, ok := line(f, "name"); ok {
		in.set(func(c *store.Client) { c.Name = v })
	}
	if v, ok := f.Bool("trusted"); ok {
		in.set(func(c *store.Client) { c.Trusted = v })
	}
	for _, list := range []struct {
		name string
		of   func(*store.Client) *store.Words
	}{
		{"redirect_uris", func(c *store.Client) *store.Words { return &c.RedirectURIs }},
		{"grant_types", func(c *store.Client) *store.Words { return &c.GrantTypes }},
		{"scopes", func(c *store.Client) *store.Words { return &c.Scopes }},
		{"origins", func(c *store.Client) *store.Words { return &c.Origins }},
		{"introspects", func(c *store.Client) *store.Words { return &c.Introspects }},
	} {
		if v, ok := words(f, list.name); ok {
			in.set(func(c *store.Client) { *list.of(c) = v })
		}
	}
	if f.Null("refresh_grace") {
		in.set(func(c *store.Client) { c.RefreshGrace = defaultGrace })
	}
	if v, ok := f.Int("refresh_grace", 0, 300); ok {
		in.set(func(c *store.Client) { c.RefreshGrace = v })
	}
}

// checkClient asks what may be registered, of the client as it will be.
func checkClient(c *store.Client) error {
	var errs []web.FieldError
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
	if err := checkClient(row); err != nil {
		return nil, err
	}
	if err := tx.InsertClient(ctx, row); err != nil {
		return nil, err
	}
	v := viewClient(row)
	if row.Public {
		return v, nil
	}
	var err error
	v.Secret, err = a.newSecret(ctx, tx, row, store.At(c.Now))
	return v, err
}

func updateClient(ctx context.Context, tx *store.Tx, c *gate.Call, was, row *store.Client) error {
	if err := checkClient(row); err != nil {
		return err
	}
	if err := tx.UpdateClient(ctx, row); err != nil {
		return err
	}
	if was.DisabledAt.IsZero() && !row.DisabledAt.IsZero() {
		_, err := endAll(ctx, tx, revocation{tenant: row.Tenant, client: row.ID}, c.Caller.ID)
		return err
	}
	return nil
}
