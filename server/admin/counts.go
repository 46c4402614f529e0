package admin

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// countStep is one width of the steps that decisions are counted in.
type countStep struct {
	width time.Duration
	back  time.Duration // where the time begins that is counted, unless the caller says
	most  time.Duration // that can be counted at a time
}

const day = 24 * time.Hour

var countSteps = map[string]countStep{
	"hour": {time.Hour, day, 31 * day},
	"day":  {day, 30 * day, 800 * day},
}

const (
	defaultCounted = 20 // values that are named
	mostCounted    = 50
)

// count is one number of a chart.
type count struct {
	At      store.Time `json:"at"`
	Value   *string    `json:"value"` // nil: all others, and those that have none
	Allowed int64      `json:"allowed"`
	Denied  int64      `json:"denied"`
}

type counted struct {
	From store.Time `json:"from"`
	To   store.Time `json:"to"`
	Data []count    `json:"data"`
}

// counting is one request for counts.
type counting struct {
	store.Counting
	step countStep
}

// Counts is GET /admin/api/decisions/counts: how many decisions there were, by
// one member of them and over time. It takes the filters of the list.
func (a *Admin) Counts() fiber.Handler {
	return gate.Handler(a.Gate, gate.Operation[counting]{
		Action: "decision.count", Parse: a.parseCounting,
		Facts: func(context.Context, store.Reader, *gate.Call, *counting) (policies.Resource, policies.Facts, error) {
			return policies.Resource{Type: "decision"}, nil, nil
		},
		Read: func(ctx context.Context, _ store.Reader, c *gate.Call, q *counting) (*web.Answer, error) {
			if p := q.span(store.At(c.Now)); p != nil {
				return nil, p
			}
			found, err := a.Store.CountDecisions(ctx, q.Counting)
			if err != nil {
				return nil, err
			}
			return web.JSON(fiber.StatusOK, viewCounts(q, found)), nil
		},
	})
}

func (a *Admin) parseCounting(r *web.Request, q *counting) *web.Problem {
	f, p := web.ParseQuery(r.RawQuery)
	if p != nil {
		return p
	}
	f.Require("by")
	q.By, _ = f.OneOf("by", "code", "client", "subject", "rule", "action")
	step, ok := f.OneOf("step", "hour", "day")
	if !ok {
		step = "hour"
	}
	q.step = countSteps[step]
	q.Step, q.Limit = q.step.width, defaultCounted
	if n, ok := f.Int("limit", 1, mostCounted); ok {
		q.Limit = int(n)
	}
	q.Filter = a.memberFilter(f)
	q.Filter.Tenant = r.Tenant.ID
	return f.Problem()
}

// span settles which time is counted.
func (q *counting) span(now store.Time) *web.Problem {
	f := &q.Filter
	if f.To.IsZero() {
		f.To = now
	}
	if f.From.IsZero() {
		f.From = store.At(f.To.Add(-q.step.back))
	}
	if !f.From.Before(f.To.Time) {
		return web.Unprocessable(web.FieldError{Field: "to", Code: "out_of_range", Detail: "It must be after from."})
	}
	if f.To.Sub(f.From.Time) > q.step.most {
		return web.Unprocessable(web.FieldError{Field: "from", Code: "out_of_range", Detail: "It must be at most 31 days before to; with step=day, 800 days."})
	}
	return nil
}

func viewCounts(q *counting, found []store.Count) counted {
	out := counted{From: q.Filter.From, To: q.Filter.To, Data: make([]count, len(found))}
	for i := range found {
		c := &found[i]
		out.Data[i] = count{At: c.At, Allowed: c.Allowed, Denied: c.Denied}
		if !c.Other {
			out.Data[i].Value = &c.Value
		}
	}
	return out
}
