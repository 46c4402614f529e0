package points

import (
	"context"
	"fmt"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
)

// byHand is the facts of an adjustment or a reversal: its size, if that was
// understood, and how much this member of staff has moved by hand today.
func byHand(ctx context.Context, r store.Reader, c *gate.Call, points int64) (policies.Facts, error) {
	facts := policies.Facts{}
	if points != 0 {
		facts["points"] = points
	}
	if c.Caller.Type != "staff" {
		return facts, nil
	}
	today, err := store.MovedByHand(ctx, r, c.Tenant.ID, c.Caller.ID, store.At(c.Now))
	facts["adjusted_today"] = today
	return facts, err
}

// withinDay keeps the obligation daily_adjust_at_most: many adjustments at once
// were all decided on the sum before any of them. Where it no longer holds, all
// is decided anew.
func withinDay(ctx context.Context, tx *store.Tx, c *gate.Call, points int64) error {
	obligation, ok := c.Decision.Obligations["daily_adjust_at_most"]
	if !ok {
		return nil
	}
	most, ok := obligation.(int64)
	if !ok {
		return fmt.Errorf("obligation daily_adjust_at_most: %T is not a whole number", obligation)
	}
	today, err := store.MovedByHand(ctx, tx, c.Tenant.ID, c.Caller.ID, store.At(c.Now))
	if err != nil {
		return err
	}
	if today+abs(points) > most {
		return gate.ErrStale
	}
	return nil
}

func abs(n int64) int64 { return max(n, -n) }
