package points

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Capture is POST /api/points/holds/{id}/capture (points.capture): held points
// spent, all or as many as are named; the rest goes back.
func (p *Points) Capture() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[closing]{
		Action: "points.capture", Idempotent: true,
		Parse: func(r *web.Request, h *closing) *web.Problem {
			h.id = pathID(r)
			f, bad := parseBody(r)
			if bad != nil {
				return bad
			}
			h.points, _ = f.Int("points", 1, store.MaxPoints)
			return f.Problem()
		},
		Facts:  factsOf[closing],
		Effect: p.capture,
	})
}

func (p *Points) capture(ctx context.Context, tx *store.Tx, c *gate.Call, h *closing) (*web.Answer, error) {
	if h.row == nil {
		return nil, store.ErrNotFound
	}
	points := h.points
	if points == 0 {
		points = h.row.Points
	}
	if points > h.row.Points {
		return nil, web.Unprocessable(web.FieldError{
			Field: "points", Code: "out_of_range", Detail: fmt.Sprintf("The hold is for %d points.", h.row.Points),
		})
	}
	l := p.newLine(c, store.LineCapture)
	l.Reason, l.Points = h.row.Reason, -points
	if err := tx.CaptureHold(ctx, h.row, l); err != nil {
		return nil, err
	}
	return held(ctx, tx, c, h.row, l, 200)
}
