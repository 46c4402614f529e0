package storetest_test

import (
	"context"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestBehind: each kind of row says how late its oldest one is.
func TestBehind(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		now := db.Now()
		behind := func() map[string]time.Duration {
			out := map[string]time.Duration{}
			for _, rows := range store.ExpiredRows() {
				d, err := rows.Behind(ctx, db, now)
				if err != nil {
					t.Fatalf("%s: %v", rows.Rows, err)
				}
				if d > 0 {
					out[rows.Rows] = d
				}
			}
			return out
		}
		if got := behind(); len(got) != 0 {
			t.Errorf("an empty database is behind: %v", got)
		}
		old := store.At(now.Add(-100 * 24 * time.Hour))
		storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
		storetest.Grant(t, db, store.Grant{ID: "grt_2", ClientID: "web", SubjectType: "client", Subject: "web", ExpiresAt: old})
		storetest.Grant(t, db, store.Grant{ID: "grt_3", ClientID: "web", Subject: "cus_alice", ExpiresAt: old})
		storetest.Write(t, db, func(tx *store.Tx) error {
			if err := tx.InsertAccessToken(ctx, access("live", "grt_1", now.Add(time.Hour))); err != nil {
				return err
			}
			return tx.InsertAccessToken(ctx, access("late", "grt_1", now.Add(-25*time.Hour)))
		})
		got := behind()
		if len(got) != 3 || got["access_tokens"].Round(time.Minute) != time.Hour || got["grants"].Round(time.Hour) != 10*24*time.Hour || got["client_grants"] < 98*24*time.Hour {
			t.Errorf("behind: %v", got)
		}
		for _, rows := range store.ExpiredRows() {
			storetest.Write(t, db, func(tx *store.Tx) error {
				_, err := rows.Remove(ctx, tx, 10)
				return err
			})
		}
		if got := behind(); len(got) != 0 {
			t.Errorf("after all is removed: %v", got)
		}
	})
}
