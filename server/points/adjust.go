package points

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type adjustment struct {
	order        // its points are signed
	note  string // for staff
}

// Adjust is POST /api/points/adjust (points.adjust): a correction by hand, up
// or down.
func (p *Points) Adjust() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[adjustment]{
		Action: "points.adjust", Idempotent: true,
		Parse: func(r *web.Request, a *adjustment) *web.Problem {
			return parseOrder(r, &a.order, func(f *web.Fields) {
				a.points = signed(f)
				a.note, _ = f.String("internal_note", maxReason)
			})
		},
		Facts: factsOf[adjustment],
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, a *adjustment) (*web.Answer, error) {
			if a.account == nil {
				return nil, store.ErrNotFound
			}
			if err := withinDay(ctx, tx, c, a.points); err != nil {
				return nil, err
			}
			l := p.line(c, &a.order, store.LineAdjust, a.points)
			l.InternalNote = a.note
			if err := book(ctx, tx, l); err != nil {
				return nil, err
			}
			return posted(ctx, tx, c, l)
		},
	})
}

func (a *adjustment) facts(ctx context.Context, r store.Reader, c *gate.Call) (policies.Resource, policies.Facts, error) {
	res, _, err := a.target.facts(ctx, r, c)
	if err != nil {
		return res, nil, err
	}
	facts, err := byHand(ctx, r, c, a.points)
	return res, facts, err
}

// signed reads points that may be taken away, too: 0 if they are not understood.
func signed(f *web.Fields) int64 {
	f.Require("points")
	n, ok := f.Int("points", -store.MaxPoints, store.MaxPoints)
	if ok && n == 0 {
		f.Wrong("points", "out_of_range", "It must not be 0.")
	}
	return n
}

func book(ctx context.Context, tx *store.Tx, l *store.Line) error {
	if l.Points < 0 {
		return tx.Debit(ctx, l)
	}
	return tx.Credit(ctx, l)
}
