package points

import (
	"context"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// order is what every request asks that moves points of an account it names.
type order struct {
	target
	points int64 // 0: not understood
	reason string
}

// parseOrder reads the members that all orders have; more reads the others.
func parseOrder(r *web.Request, o *order, more func(f *web.Fields)) *web.Problem {
	f, bad := parseBody(r)
	if bad != nil {
		return bad
	}
	o.target.parse(r, f)
	o.reason = reason(f)
	more(f)
	return f.Problem()
}

// facts are the account and the points that are asked for.
func (o *order) facts(ctx context.Context, r store.Reader, c *gate.Call) (policies.Resource, policies.Facts, error) {
	res, facts, err := o.target.facts(ctx, r, c)
	if o.points != 0 {
		facts = policies.Facts{"points": o.points}
	}
	return res, facts, err
}

// line begins the order's line.
func (p *Points) line(c *gate.Call, o *order, kind string, points int64) *store.Line {
	l := p.newLine(c, kind)
	l.CustomerID, l.Reason, l.Points = o.customer, o.reason, points
	return l
}
