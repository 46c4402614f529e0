package gate

import (
	"time"

	"github.com/pointgate/pointgate/store"
)

// spent notes a part of the work on the request, and is when the next begins.
func (g *Gate) spent(c *Call, part string, began time.Time) time.Time {
	now := g.Now()
	c.Event.Spent(part, began, now)
	return now
}

func (g *Gate) decided(c *Call, r *store.Record) {
	if g.Decided != nil {
		g.Decided(r, time.Duration(c.Decision.EvalNS))
	}
}
