package points

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Redeem is POST /api/points/redeem (points.redeem): points spent at once.
func (p *Points) Redeem() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[order]{
		Action: "points.redeem", Idempotent: true,
		Parse: func(r *web.Request, o *order) *web.Problem {
			return parseOrder(r, o, func(f *web.Fields) { o.points = amount(f) })
		},
		Facts: factsOf[order],
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, o *order) (*web.Answer, error) {
			if o.account == nil {
				return nil, store.ErrNotFound
			}
			l := p.line(c, o, store.LineRedeem, -o.points)
			if err := tx.Debit(ctx, l); err != nil {
				return nil, err
			}
			return posted(ctx, tx, c, l)
		},
	})
}
