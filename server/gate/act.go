package gate

import (
	"context"
	"fmt"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// Act is something that the program does by itself, such as letting points expire.
type Act struct {
	Tenant   *store.Tenant
	Action   string
	Resource policies.Resource
	Facts    policies.Facts
	Effect   func(ctx context.Context, tx *store.Tx, c *Call) error
}

// System takes an act through the gate: it is decided for the subject type
// "system" and recorded like any request.
func (g *Gate) System(ctx context.Context, act Act) error {
	r := &web.Request{
		Event: web.NewEvent("", g.Now()), Tenant: act.Tenant,
		Caller: &web.Caller{Method: "internal", Status: web.Valid, Type: "system", ID: "pointgate", Tenant: act.Tenant.ID},
		Header: func(string) string { return "" },
	}
	a := Do(ctx, g, Operation[struct{}]{
		Action: act.Action,
		Facts: func(context.Context, store.Reader, *Call, *struct{}) (policies.Resource, policies.Facts, error) {
			return act.Resource, act.Facts, nil
		},
		Effect: func(ctx context.Context, tx *store.Tx, c *Call, _ *struct{}) (*web.Answer, error) {
			return &web.Answer{Status: 204, Code: "ok"}, act.Effect(ctx, tx, c)
		},
	}, r)
	if a.Status != 204 {
		return fmt.Errorf("%s: %s (%d): %w", act.Action, a.Code, a.Status, errOr(r.Event.Err, errRefused))
	}
	return nil
}

var errRefused = fmt.Errorf("refused")

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
