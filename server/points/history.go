package points

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

const (
	pageDefault = 50
	pageMost    = 200
	maxCursor   = 256 // characters
)

// search is what is asked of a history.
type search struct {
	target
	filter store.LineFilter
}

// History is GET /api/points/transactions (points.history): the newest line
// first. A cursor belongs to one tenant, customer and set of filters, and holds
// the id of the last line, which the caller has seen.
func (p *Points) History() fiber.Handler {
	return gate.Handler(p.Gate, gate.Operation[search]{
		Action: "points.history",
		Parse:  p.parseSearch,
		Facts:  factsOf[search],
		Read:   p.readHistory,
	})
}

func (p *Points) parseSearch(r *web.Request, s *search) *web.Problem {
	f, bad := parseQuery(r)
	if bad != nil {
		return bad
	}
	s.target.parse(r, f)
	s.filter = store.LineFilter{Tenant: r.Tenant.ID, CustomerID: s.customer, Limit: pageDefault}
	s.filter.Type, _ = f.OneOf("type", store.LineEarn, store.LineRedeem, store.LineCapture, store.LineAdjust,
		store.LineTransferIn, store.LineTransferOut, store.LineExpire, store.LineReverse)
	if t, ok := f.Time("from"); ok {
		s.filter.From = store.At(t)
	}
	if t, ok := f.Time("to"); ok {
		s.filter.To = store.At(t)
	}
	if n, ok := f.Int("limit", 1, pageMost); ok {
		s.filter.Limit = int(n)
	}
	cursor, _ := f.String("cursor", maxCursor)
	if bad := f.Problem(); bad != nil {
		return bad
	}
	return p.Cursors.Open(s.list(), cursor, &s.filter.Before)
}

// list names the list that a cursor belongs to.
func (s *search) list() string {
	f := s.filter
	return fmt.Sprintf("points.history %q %q %q %d %d", f.Tenant, f.CustomerID, f.Type, f.From.UnixMicro(), f.To.UnixMicro())
}

func (p *Points) readHistory(ctx context.Context, r store.Reader, c *gate.Call, s *search) (*web.Answer, error) {
	if s.account == nil {
		return nil, store.ErrNotFound
	}
	f := s.filter
	f.Limit++ // one more tells whether there is a next page
	lines, err := store.Lines(ctx, r, f)
	if err != nil {
		return nil, err
	}
	page := web.List[transaction]{Data: []transaction{}}
	for i := range lines[:min(len(lines), s.filter.Limit)] {
		page.Data = append(page.Data, transactionOf(c, &lines[i]))
	}
	if len(lines) == f.Limit {
		page.NextCursor = p.Cursors.Make(s.list(), page.Data[len(page.Data)-1].ID)
	}
	return web.JSON(200, page), nil
}
