package admin

import (
	"context"
	"time"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type personView struct {
	ID         string     `json:"id"`
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	Password   bool       `json:"password_set"`
	CreatedAt  time.Time  `json:"created_at"`
	DisabledAt *time.Time `json:"disabled_at"`
}

type staffView struct {
	personView
	Roles []string `json:"roles"`
}

func viewCustomer(u *store.User) any {
	return personView{
		ID: u.ID, Email: u.Email, Name: u.Name, Password: u.PasswordHash != "",
		CreatedAt: u.CreatedAt.Time, DisabledAt: when(u.DisabledAt),
	}
}

func viewStaff(u *store.User) any {
	return staffView{personView: viewCustomer(u).(personView), Roles: shown(u.Roles)}
}

// Customers is /admin/api/customers.
func (a *Admin) Customers() Handlers {
	n := a.people("customer")
	n.view = viewCustomer
	n.members = func(f *web.Fields, in *input[store.User]) { a.personMembers(f, in, customerID) }
	n.fresh = func(c *gate.Call) *store.User {
		return &store.User{Tenant: c.Tenant.ID, Type: "customer", ID: a.newID("cus_"), CreatedAt: store.At(c.Now)}
	}
	return n.handlers(a, peopleList(n).handler(a))
}

// Staff is /admin/api/staff.
func (a *Admin) Staff() Handlers {
	n := a.people("staff")
	n.view = viewStaff
	n.members = func(f *web.Fields, in *input[store.User]) {
		if in.created {
			f.Require("roles")
		}
		a.personMembers(f, in, plainID)
		a.roles(f, in)
	}
	n.fresh = func(c *gate.Call) *store.User {
		return &store.User{Tenant: c.Tenant.ID, Type: "staff", ID: a.newID("stf_"), CreatedAt: store.At(c.Now)}
	}
	return n.handlers(a, peopleList(n).handler(a))
}

// people is what customers and staff have in common.
func (a *Admin) people(kind string) *noun[store.User] {
	return &noun[store.User]{
		name: kind, end: "delete",
		get: func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*store.User, error) {
			u, err := store.GetUser(ctx, r, t.ID, id)
			if err == nil && u.Type != kind {
				return nil, store.ErrNotFound
			}
			return u, err
		},
		owner: func(u *store.User) string { return u.ID },
		id:    func(u *store.User) string { return u.ID },
		insert: func(ctx context.Context, tx *store.Tx, _ *gate.Call, u *store.User) (any, error) {
			if err := tx.InsertUser(ctx, u); err != nil {
				return nil, err
			}
			if u.Type == "staff" {
				return viewStaff(u), nil
			}
			return viewCustomer(u), nil
		},
		update: updatePerson,
		remove: func(ctx context.Context, tx *store.Tx, c *gate.Call, was *store.User) error {
			u := *was
			if u.DisabledAt.IsZero() {
				u.DisabledAt = store.At(c.Now)
			}
			return updatePerson(ctx, tx, c, was, &u)
		},
	}
}

func peopleList(n *noun[store.User]) *list[store.User, string] {
	return &list[store.User, string]{
		name: n.name, view: n.view,
		place:  func(u *store.User) place { return place{ID: u.ID} },
		filter: func(f *web.Fields) string { email, _ := f.String("email", maxEmail); return email },
		rows: func(ctx context.Context, r store.Reader, q *query[string]) ([]store.User, error) {
			return store.Users(ctx, r, store.UserFilter{Tenant: q.tenant.ID, Type: n.name, Email: q.filter, After: q.after.ID, Limit: q.limit})
		},
	}
}

// updatePerson keeps the change, and ends what must not outlive it: all, when
// the person is switched off; the sessions, when the password is another.
func updatePerson(ctx context.Context, tx *store.Tx, c *gate.Call, was, u *store.User) error {
	off := was.DisabledAt.IsZero() && !u.DisabledAt.IsZero()
	if err := checkStaff(ctx, tx, c, was, u); err != nil {
		return err
	}
	if err := tx.UpdateUser(ctx, u); err != nil {
		return err
	}
	switch {
	case off:
		_, err := endAll(ctx, tx, revocation{tenant: u.Tenant, person: u.ID}, c.Caller.ID)
		return err
	case was.PasswordHash != u.PasswordHash:
		_, err := tx.EndSessions(ctx, store.SessionMatch{Tenant: u.Tenant, User: u.ID})
		return err
	}
	return nil
}
