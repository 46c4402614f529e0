package admin

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/web"
)

// Handlers are the operations on one kind of object: List and Create belong to
// its path, the others to its path and /:id. nil: there is no such operation.
type Handlers struct{ List, Create, Read, Update, Delete fiber.Handler }

// handlers makes those operations for which the noun has a function.
func (n *noun[R]) handlers(a *Admin, all fiber.Handler) Handlers {
	h := Handlers{List: all, Read: n.read(a), Delete: n.drop(a)}
	if n.insert != nil {
		h.Create = n.create(a)
	}
	if n.update != nil {
		h.Update = n.change(a)
	}
	return h
}

// reloading reads the tenants, with the origins of their clients, into memory
// again after a change, before its answer leaves.
func (a *Admin) reloading(h Handlers) Handlers {
	for _, change := range []*fiber.Handler{&h.Create, &h.Update, &h.Delete} {
		if *change != nil {
			*change = a.thenReload(*change)
		}
	}
	return h
}

func (a *Admin) thenReload(change fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := change(c); err != nil {
			return err
		}
		if c.Response().StatusCode() >= fiber.StatusBadRequest {
			return nil
		}
		if err := a.Store.LoadTenants(c.UserContext()); err != nil {
			web.EventOf(c).Fail(err) // the change stands; the next reload of the clock sees it
		}
		return nil
	}
}
