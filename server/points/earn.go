package points

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type earning struct {
	order
	expiresAt store.Time // zero: never
}

// Earn is POST /api/points/earn (points.earn): new points, as one lot.
func (p *Points) Earn() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[earning]{
		Action: "points.earn", Idempotent: true,
		Parse: func(r *web.Request, e *earning) *web.Problem {
			return parseOrder(r, &e.order, func(f *web.Fields) {
				e.points = amount(f)
				if t, ok := f.Time("expires_at"); ok {
					e.expiresAt = store.At(t)
				}
				if !e.expiresAt.IsZero() && !e.expiresAt.After(r.Event.Started) {
					f.Wrong("expires_at", "out_of_range", "It must be in the future.")
				}
			})
		},
		Facts: factsOf[earning],
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, e *earning) (*web.Answer, error) {
			if e.account == nil {
				return nil, store.ErrNotFound
			}
			l := p.line(c, &e.order, store.LineEarn, e.points)
			l.ExpiresAt = e.expiresAt
			if err := tx.Credit(ctx, l); err != nil {
				return nil, err
			}
			return posted(ctx, tx, c, l)
		},
	})
}
