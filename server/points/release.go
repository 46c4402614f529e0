package points

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Release is POST /api/points/holds/{id}/release (points.release): held points
// given back.
func (p *Points) Release() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[closing]{
		Action: "points.release", Idempotent: true,
		Parse: func(r *web.Request, h *closing) *web.Problem {
			h.id = pathID(r)
			f, bad := parseBody(r)
			if bad != nil {
				return bad
			}
			return f.Problem()
		},
		Facts: factsOf[closing],
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, h *closing) (*web.Answer, error) {
			if h.row == nil {
				return nil, store.ErrNotFound
			}
			if err := tx.ReleaseHold(ctx, h.row, store.At(c.Now)); err != nil {
				return nil, err
			}
			return held(ctx, tx, c, h.row, nil, 200)
		},
	})
}
