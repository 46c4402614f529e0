package edge

import (
	"sync"

	"github.com/gofiber/fiber/v2"
)

// endpoints tells the routes that answer from the steps in front of them: for a
// request that comes to no route, Fiber names the last step that it passed, or
// even the path.
type endpoints struct {
	once  sync.Once
	known map[*fiber.Handler]bool // the first handler of each; Fiber's copies of a route share it
}

// route is the pattern that the request came to; "" if it came to none.
func (r *endpoints) route(c *fiber.Ctx) string {
	r.once.Do(func() {
		r.known = map[*fiber.Handler]bool{}
		for _, route := range c.App().GetRoutes(true) {
			if len(route.Handlers) > 0 {
				r.known[&route.Handlers[0]] = true
			}
		}
	})
	at := c.Route()
	if len(at.Handlers) == 0 || !r.known[&at.Handlers[0]] {
		return ""
	}
	return at.Path
}
