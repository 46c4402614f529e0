package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/pointgate/pointgate/store"
)

// cleanup removes rows whose time is over, in steps small enough that nobody
// waiting behind one notices.
type cleanup struct {
	store *store.DB
	log   *slog.Logger
}

const (
	cleanEvery = time.Minute
	cleanStep  = 500
)

func (c *cleanup) run(ctx context.Context) {
	tick := time.NewTicker(cleanEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.pass(ctx)
		}
	}
}

// pass empties each kind of row; those that others refer to come last.
func (c *cleanup) pass(ctx context.Context) {
	for _, step := range []struct {
		rows   string
		remove func(tx *store.Tx, ctx context.Context, limit int) (int64, error)
	}{
		{"successors", (*store.Tx).EmptySuccessors},
		{"codes", (*store.Tx).DeleteCodes},
		{"pushed_requests", (*store.Tx).DeletePushedRequests},
		{"device_codes", (*store.Tx).DeleteDeviceCodes},
		{"access_tokens", (*store.Tx).DeleteAccessTokens},
		{"refresh_tokens", (*store.Tx).DeleteRefreshTokens},
		{"grants", (*store.Tx).DeleteGrants},
		{"sessions", (*store.Tx).DeleteSessions},
		{"idempotency_keys", (*store.Tx).DeleteIdempotencyKeys},
		{"replays", (*store.Tx).DeleteReplays},
	} {
		for n := int64(cleanStep); n == cleanStep && ctx.Err() == nil; {
			err := c.store.Write(ctx, func(tx *store.Tx) (err error) {
				n, err = step.remove(tx, ctx, cleanStep)
				return err
			})
			if err != nil {
				c.log.Error("expired rows stay for now", "rows", step.rows, "error", err)
				return
			}
		}
	}
}
