package points

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Balance is GET /api/points (points.read). The facts already hold the account,
// so it costs one query.
func (p *Points) Balance() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[target]{
		Action: "points.read",
		Parse: func(r *web.Request, t *target) *web.Problem {
			f, bad := parseQuery(r)
			if bad != nil {
				return bad
			}
			t.parse(r, f)
			return f.Problem()
		},
		Facts: factsOf[target],
		Read: func(ctx context.Context, r store.Reader, c *gate.Call, t *target) (*web.Answer, error) {
			if t.account == nil {
				return nil, store.ErrNotFound
			}
			b, err := balanceOf(ctx, r, c, t.account)
			if err != nil {
				return nil, err
			}
			return web.JSON(200, b), nil
		},
	})
}
