package points

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type reversal struct {
	id     string
	reason string
	was    *store.Line // as the facts found it; nil: there is none
}

// Reverse is POST /api/points/transactions/{id}/reverse (points.reverse): a new
// line that takes an older one back, once. A transfer is reversed by its
// sender's line, on both accounts; the answer is about the sender's.
func (p *Points) Reverse() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[reversal]{
		Action: "points.reverse", Idempotent: true,
		Parse: func(r *web.Request, v *reversal) *web.Problem {
			v.id = pathID(r)
			f, bad := parseBody(r)
			if bad != nil {
				return bad
			}
			v.reason = reason(f)
			return f.Problem()
		},
		Facts:  factsOf[reversal],
		Effect: p.reverse,
	})
}

// facts looks the line up; the resource is the account that it is on.
func (v *reversal) facts(ctx context.Context, r store.Reader, c *gate.Call) (policies.Resource, policies.Facts, error) {
	v.was = nil
	was, err := store.GetLine(ctx, r, c.Tenant.ID, v.id)
	if errors.Is(err, store.ErrNotFound) {
		return missing(c, v.id), nil, nil
	}
	if err != nil {
		return policies.Resource{}, nil, err
	}
	v.was = was
	facts, err := byHand(ctx, r, c, -was.Points)
	return resource(was.Tenant, was.CustomerID), facts, err
}

func (p *Points) reverse(ctx context.Context, tx *store.Tx, c *gate.Call, v *reversal) (*web.Answer, error) {
	if v.was == nil {
		return nil, store.ErrNotFound
	}
	if err := withinDay(ctx, tx, c, v.was.Points); err != nil {
		return nil, err
	}
	l := p.newLine(c, store.LineReverse)
	mirror := p.newLine(c, store.LineReverse) // the receiver's, if it is a transfer
	l.Reason, mirror.Reason = v.reason, v.reason
	if err := tx.Undo(ctx, v.was, l, mirror); err != nil {
		return nil, err
	}
	if mirror.CustomerID == "" {
		c.Lines = []string{l.ID}
	}
	return posted(ctx, tx, c, l)
}
