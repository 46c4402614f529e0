package points

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

type transfer struct {
	order
	to       string // empty: not understood
	receiver *store.Account
}

// Transfer is POST /api/points/transfer (points.transfer): points to another
// customer of the tenant, as two linked lines. The answer tells nothing of the
// receiver's account.
func (p *Points) Transfer() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[transfer]{
		Action: "points.transfer", Idempotent: true,
		Parse: func(r *web.Request, t *transfer) *web.Problem {
			return parseOrder(r, &t.order, func(f *web.Fields) {
				t.points = amount(f)
				f.Require("to_customer_id")
				t.to = customerID(f, "to_customer_id")
				if t.to != "" && t.to == t.customer {
					f.Wrong("to_customer_id", "invalid", "It must be another customer.")
				}
			})
		},
		Facts:  factsOf[transfer],
		Effect: p.transfer,
	})
}

// facts adds the tenant of the receiver, empty if there is no such customer
// here: another tenant's are not looked for.
func (t *transfer) facts(ctx context.Context, r store.Reader, c *gate.Call) (policies.Resource, policies.Facts, error) {
	res, facts, err := t.order.facts(ctx, r, c)
	if err != nil || t.to == "" {
		return res, facts, err
	}
	c.Related = t.to
	to := target{customer: t.to}
	there, _, err := to.facts(ctx, r, c)
	t.receiver = to.account
	if facts == nil {
		facts = policies.Facts{}
	}
	facts["recipient_tenant"] = there.Tenant
	return res, facts, err
}

func (p *Points) transfer(ctx context.Context, tx *store.Tx, c *gate.Call, t *transfer) (*web.Answer, error) {
	if t.account == nil || t.receiver == nil {
		return nil, store.ErrNotFound
	}
	out := p.line(c, &t.order, store.LineTransferOut, -t.points)
	in := p.line(c, &t.order, store.LineTransferIn, t.points)
	in.CustomerID = t.to
	if err := tx.Transfer(ctx, out, in); err != nil {
		return nil, err
	}
	b, err := balanceAfter(ctx, tx, c, out.CustomerID)
	if err != nil {
		return nil, err
	}
	return web.JSON(201, struct {
		Transactions []transaction `json:"transactions"`
		Balance      *balance      `json:"balance"`
	}{[]transaction{transactionOf(c, out)}, b}), nil
}
