package points

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Points makes the handlers of the points API and lets points and holds
// expire. It is safe for concurrent use.
type Points struct {
	Gate    *gate.Gate
	Store   *store.DB
	Cursors web.Cursors
	// NewID makes the id of a line ("txn_") or a hold ("hld_"); nil means random.
	NewID func(prefix string) string
}

func (p *Points) id(prefix string) string {
	if p.NewID != nil {
		return p.NewID(prefix)
	}
	return prefix + strings.ToLower(rand.Text())
}

// target is the account that a request names, and what became of looking for it.
type target struct {
	customer string         // empty: the request named none that could be understood
	account  *store.Account // as the facts found it; nil: there is no such customer
}

// parse reads customer_id; a customer who names nobody means themselves.
func (t *target) parse(r *web.Request, f *web.Fields) {
	switch {
	case f.Has("customer_id"):
		t.customer = customerID(f, "customer_id")
	case r.Caller.Type == "customer":
		t.customer = r.Caller.ID
	default:
		f.Require("customer_id")
	}
}

// facts looks the account up and makes it the policy's resource. Nobody's
// account and another tenant's have neither owner nor tenant.
func (t *target) facts(ctx context.Context, r store.Reader, c *gate.Call) (policies.Resource, policies.Facts, error) {
	t.account = nil
	if t.customer == "" {
		return policies.Resource{Type: resourceType}, nil, nil
	}
	a, err := store.GetAccount(ctx, r, c.Tenant.ID, t.customer, store.At(c.Now))
	if errors.Is(err, store.ErrNotFound) {
		return policies.Resource{Type: resourceType, ID: t.customer}, nil, nil
	}
	if err != nil {
		return policies.Resource{}, nil, err
	}
	t.account = a
	return resource(a.Tenant, a.CustomerID), nil, nil
}

// factsOf lets the parsed input T of an operation gather its own facts.
func factsOf[T any, P interface {
	*T
	facts(ctx context.Context, r store.Reader, c *gate.Call) (policies.Resource, policies.Facts, error)
}](ctx context.Context, r store.Reader, c *gate.Call, in *T) (policies.Resource, policies.Facts, error) {
	return P(in).facts(ctx, r, c)
}

const resourceType = "points_account"

// resource is the account of a customer who exists.
func resource(tenant, customer string) policies.Resource {
	return policies.Resource{Type: resourceType, ID: customer, Owner: customer, Tenant: tenant}
}

// missing is a hold or a line that nobody has: the tenant's, so that who may
// act on all of it learns that there is none, and nobody's, so that customers
// can't tell it from another's.
func missing(c *gate.Call, id string) policies.Resource {
	return policies.Resource{Type: resourceType, ID: id, Tenant: c.Tenant.ID}
}

// newLine begins a line with what the call says of it.
func (p *Points) newLine(c *gate.Call, kind string) *store.Line {
	now, id := store.At(c.Now), p.id("txn_")
	c.Lines = append(c.Lines, id)
	return &store.Line{
		ID: id, Tenant: c.Tenant.ID, Type: kind,
		ActorType: c.Caller.Type, Actor: c.Caller.ID, ClientID: c.Caller.ClientID,
		RequestID: c.Event.RequestID, DecisionID: c.DecisionID, CreatedAt: now, EffectiveAt: now,
	}
}
