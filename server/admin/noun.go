package admin

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// noun is one kind of object. R is its row.
type noun[R any] struct {
	name string // of the resource and in the actions
	end  string // the verb of its DELETE: delete or revoke

	// tenant is whose the object of this id is; nil: the tenant's that is asked.
	tenant func(id string) string

	get   func(ctx context.Context, r store.Reader, t *store.Tenant, id string) (*R, error)
	owner func(*R) string // the person whose it is; nil: nobody's
	id    func(*R) string
	view  func(*R) any

	// members reads a body: what the row becomes. It notes what is wrong in f.
	members func(f *web.Fields, in *input[R])
	// fresh is the row that a creation starts from.
	fresh func(c *gate.Call) *R
	// insert keeps a new row, after checks that need the store, and returns what
	// is shown of it: this once with its secret.
	insert func(ctx context.Context, tx *store.Tx, c *gate.Call, row *R) (any, error)
	// update keeps what was made of a row.
	update func(ctx context.Context, tx *store.Tx, c *gate.Call, was, row *R) error
	// remove ends it.
	remove func(ctx context.Context, tx *store.Tx, c *gate.Call, row *R) error
}

// input is what one request about one object says.
type input[R any] struct {
	tenant  *store.Tenant
	id      string // of the path
	row     *R     // as it was before the decision; nil if there is none
	created bool   // the body makes a new object
	changes []func(row *R, now store.Time)
	prepare []func(ctx context.Context) error
}

// set notes a change.
func (in *input[R]) set(change func(row *R)) {
	in.changes = append(in.changes, func(row *R, _ store.Time) { change(row) })
}

func (in *input[R]) apply(row *R, now store.Time) {
	for _, change := range in.changes {
		change(row, now)
	}
}

// read is GET of one.
func (n *noun[R]) read(a *Admin) fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[input[R]]{
		Action: n.name + ".read", Parse: n.parseID, Facts: n.facts,
		Read: func(_ context.Context, _ store.Reader, _ *gate.Call, in *input[R]) (*web.Answer, error) {
			if in.row == nil {
				return nil, store.ErrNotFound
			}
			return web.JSON(fiber.StatusOK, n.view(in.row)), nil
		},
	})
}

// create is POST.
func (n *noun[R]) create(a *Admin) fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[input[R]]{
		Action: n.name + ".create", Prepare: prepare[R],
		Parse: func(r *web.Request, in *input[R]) *web.Problem {
			in.created = true
			return n.parseBody(r, in)
		},
		Facts: func(context.Context, store.Reader, *gate.Call, *input[R]) (policies.Resource, policies.Facts, error) {
			return policies.Resource{Type: n.name}, nil, nil
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *input[R]) (*web.Answer, error) {
			row := n.fresh(c)
			in.apply(row, store.At(c.Now))
			view, err := n.insert(ctx, tx, c, row)
			if err != nil {
				return nil, err
			}
			c.Resource.ID = n.id(row) // so that the record is found by it
			return web.JSON(fiber.StatusCreated, view), nil
		},
	})
}

// change is PATCH: only the members that are given.
func (n *noun[R]) change(a *Admin) fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[input[R]]{
		Action: n.name + ".update", Prepare: prepare[R], Parse: n.parseBody, Facts: n.facts,
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *input[R]) (*web.Answer, error) {
			was, err := n.find(ctx, tx, in)
			if err != nil {
				return nil, err
			}
			row := *was
			in.apply(&row, store.At(c.Now))
			if err := n.update(ctx, tx, c, was, &row); err != nil {
				return nil, err
			}
			return web.JSON(fiber.StatusOK, n.view(&row)), nil
		},
	})
}

// drop is DELETE.
func (n *noun[R]) drop(a *Admin) fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[input[R]]{
		Action: n.name + "." + n.end, Parse: n.parseID, Facts: n.facts,
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, in *input[R]) (*web.Answer, error) {
			row, err := n.find(ctx, tx, in)
			if err != nil {
				return nil, err
			}
			if err := n.remove(ctx, tx, c, row); err != nil {
				return nil, err
			}
			return &web.Answer{Status: fiber.StatusNoContent, Code: "ok"}, nil
		},
	})
}

func (n *noun[R]) parseID(r *web.Request, in *input[R]) *web.Problem {
	in.tenant, in.id = r.Tenant, pathID(r)
	return noQuery(r)
}

func (n *noun[R]) parseBody(r *web.Request, in *input[R]) *web.Problem {
	if p := n.parseID(r, in); p != nil {
		return p
	}
	f, p := web.ParseObject(r.Body)
	if p != nil {
		return p
	}
	n.members(f, in)
	return f.Problem()
}

func prepare[R any](ctx context.Context, _ *gate.Call, in *input[R]) error {
	for _, step := range in.prepare {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// facts says whose the object is. One that is not there is the tenant's, so
// that whoever may have all of them learns that it is missing.
func (n *noun[R]) facts(ctx context.Context, r store.Reader, c *gate.Call, in *input[R]) (policies.Resource, policies.Facts, error) {
	res := policies.Resource{Type: n.name, ID: in.id, Tenant: c.Tenant.ID}
	if n.tenant != nil {
		res.Tenant = n.tenant(in.id)
	}
	row, err := n.find(ctx, r, in)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return res, nil, nil
	case err != nil:
		return res, nil, err
	}
	in.row = row
	if n.owner != nil {
		res.Owner = n.owner(row)
	}
	return res, nil, nil
}

func (n *noun[R]) find(ctx context.Context, r store.Reader, in *input[R]) (*R, error) {
	if in.id == "" {
		return nil, store.ErrNotFound
	}
	return n.get(ctx, r, in.tenant, in.id)
}
