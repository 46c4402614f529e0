package server

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestCleanupRemovesAllInSmallSteps, and nothing that may still be asked for.
func TestCleanupRemovesAllInSmallSteps(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Client(t, db, "demo", "web", nil)
		old, live := store.At(db.Now().Add(-100*24*time.Hour)), store.At(db.Now().Add(time.Hour))
		const each = 700
		storetest.Write(t, db, func(tx *store.Tx) error {
			for i := range each {
				g := store.Grant{ID: fmt.Sprintf("grt_%d", i), Tenant: "demo", ClientID: "web", SubjectType: "client", Subject: "web", CreatedAt: old, ExpiresAt: old}
				a := store.AccessToken{Hash: []byte(g.ID), GrantID: g.ID, Tenant: "demo", ClientID: "web", CreatedAt: old, ExpiresAt: old}
				if i == 0 {
					g.ExpiresAt, a.ExpiresAt = live, live
				}
				if err := tx.InsertGrant(ctx, &g); err != nil {
					return err
				}
				if err := tx.InsertAccessToken(ctx, &a); err != nil {
					return err
				}
			}
			return nil
		})
		removed, most := map[string]int64{}, int64(0)
		c := &cleanup{store: db, log: slog.New(slog.DiscardHandler), holder: "this", removed: func(rows string, n int64) {
			removed[rows] += n
			most = max(most, n)
		}}
		c.pass(ctx)
		if removed["access_tokens"] != each-1 || removed["client_grants"] != each-1 || len(removed) != 2 || most > cleanMost {
			t.Errorf("removed %v, at most %d at once", removed, most)
		}
		other := &cleanup{store: db, log: c.log, holder: "other", removed: func(rows string, n int64) { t.Errorf("another node removes %d %s", n, rows) }}
		storetest.Write(t, db, func(tx *store.Tx) error {
			return tx.InsertAccessToken(ctx, &store.AccessToken{Hash: []byte("late"), GrantID: "grt_0", Tenant: "demo", ClientID: "web", CreatedAt: old, ExpiresAt: old})
		})
		other.pass(ctx)
	})
}

func TestStepsFitTheMachine(t *testing.T) {
	for _, tc := range []struct {
		size int
		took time.Duration
		want int
	}{
		{100, time.Microsecond, 200}, {400, time.Microsecond, cleanMost}, {100, cleanStep / 2, 100},
		{100, 2 * cleanStep, 50}, {cleanLeast, time.Minute, cleanLeast},
	} {
		if got := fitting(tc.size, tc.took); got != tc.want {
			t.Errorf("after %d rows in %v: %d, want %d", tc.size, tc.took, got, tc.want)
		}
	}
}
