package admin_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestUnusedClientsAreRemovedWithARecord(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	old := func(c *store.Client) {
		c.RegisteredBy, c.CreatedAt = "dynamic", store.At(w.db.Now().Add(-31*24*time.Hour))
	}
	storetest.Client(t, w.db, "demo", "dyn_old", old)
	storetest.Client(t, w.db, "other", "dyn_old", old)
	storetest.Client(t, w.db, "demo", "dyn_new", func(c *store.Client) { c.RegisteredBy = "dynamic" })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.admin.RunUnused(ctx); close(done) }()
	for gone := 0; gone < 2 && t.Context().Err() == nil; {
		gone = 0
		for _, tenant := range []string{"demo", "other"} {
			if _, err := store.GetClient(ctx, w.db, tenant, "dyn_old"); errors.Is(err, store.ErrNotFound) {
				gone++
			}
		}
	}
	cancel()
	<-done
	if _, err := store.GetClient(context.Background(), w.db, "demo", "dyn_new"); err != nil {
		t.Error(err)
	}
	a := w.ok(200, "auditor", "GET", "/decisions?action=client.expire", "")
	if rows, _ := a.object(t)["data"].([]any); len(rows) != 1 {
		t.Errorf("%d records: %s", len(rows), a.body)
	}
}
