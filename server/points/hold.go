package points

import (
	"context"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// The seconds that a hold may last.
const (
	holdDefault = 3600
	holdLeast   = 60
	holdMost    = 604800
)

type holding struct {
	order
	expiresIn time.Duration
}

// Hold is POST /api/points/holds (points.hold): points set aside.
func (p *Points) Hold() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[holding]{
		Action: "points.hold", Idempotent: true,
		Parse: func(r *web.Request, h *holding) *web.Problem {
			return parseOrder(r, &h.order, func(f *web.Fields) {
				h.points = amount(f)
				h.expiresIn = holdDefault * time.Second
				if n, ok := f.Int("expires_in", holdLeast, holdMost); ok {
					h.expiresIn = time.Duration(n) * time.Second
				}
			})
		},
		Facts: factsOf[holding],
		Effect: func(ctx context.Context, tx *store.Tx, c *gate.Call, h *holding) (*web.Answer, error) {
			if h.account == nil {
				return nil, store.ErrNotFound
			}
			row := &store.Hold{
				ID: p.id("hld_"), Tenant: c.Tenant.ID, CustomerID: h.customer, Points: h.points,
				Reason: h.reason, CreatedAt: store.At(c.Now), ExpiresAt: store.At(c.Now.Add(h.expiresIn)),
			}
			if err := tx.InsertHold(ctx, row); err != nil {
				return nil, err
			}
			return held(ctx, tx, c, row, nil, 201)
		},
	})
}

// held answers with a hold, the line that it led to if it did, and the balance.
func held(ctx context.Context, tx *store.Tx, c *gate.Call, h *store.Hold, l *store.Line, status int) (*web.Answer, error) {
	b, err := balanceAfter(ctx, tx, c, h.CustomerID)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Hold        hold         `json:"hold"`
		Transaction *transaction `json:"transaction,omitempty"`
		Balance     *balance     `json:"balance"`
	}{Hold: holdOf(h), Balance: b}
	if l != nil {
		t := transactionOf(c, l)
		answer.Transaction = &t
	}
	return web.JSON(status, answer), nil
}

// closing is what is asked of a hold that is there.
type closing struct {
	id     string
	points int64       // of a capture; 0: all
	row    *store.Hold // as the facts found it; nil: there is none
}

// facts looks the hold up; the resource is the account that it is on.
func (h *closing) facts(ctx context.Context, r store.Reader, c *gate.Call) (policies.Resource, policies.Facts, error) {
	h.row = nil
	row, err := store.GetHold(ctx, r, c.Tenant.ID, h.id)
	if errors.Is(err, store.ErrNotFound) {
		return missing(c, h.id), nil, nil
	}
	if err != nil {
		return policies.Resource{}, nil, err
	}
	h.row = row
	points := row.Points
	if h.points != 0 {
		points = h.points
	}
	return resource(row.Tenant, row.CustomerID), policies.Facts{"points": points}, nil
}
