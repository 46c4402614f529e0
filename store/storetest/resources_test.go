package storetest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestResources(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		mcp := &store.Resource{
			Tenant: "demo", ID: "mcp", URI: "https://mcp.example", Name: "MCP", Scopes: store.Words{"points:read"}, Open: true, CreatedAt: store.At(db.Now()),
		}
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.InsertResource(ctx, mcp) })
		if got, err := store.GetResource(ctx, db, "demo", "mcp"); err != nil || cmp.Diff(mcp, got) != "" {
			t.Errorf("err %v, diff %s", err, cmp.Diff(mcp, got))
		}
		for name, again := range map[string]store.Resource{
			"id":  {Tenant: "demo", ID: "mcp", URI: "https://else.example"},
			"URI": {Tenant: "demo", ID: "else", URI: "https://mcp.example"},
		} {
			again.CreatedAt = mcp.CreatedAt
			if err := db.Write(ctx, func(tx *store.Tx) error { return tx.InsertResource(ctx, &again) }); !errors.Is(err, store.ErrExists) {
				t.Errorf("a second of the same %s: %v, want ErrExists", name, err)
			}
		}
		elsewhere := *mcp
		elsewhere.Tenant = "other"
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.InsertResource(ctx, &elsewhere) })

		got, err := store.ResourceAt(ctx, db, "demo", "https://mcp.example/", "https://mcp.example")
		if err != nil || got.ID != "mcp" || got.Tenant != "demo" {
			t.Errorf("at its URI: %+v, %v", got, err)
		}
		change := *mcp
		change.Name, change.Scopes, change.Open, change.URI = "New", store.Words{"admin"}, false, "https://moved.example"
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.UpdateResource(ctx, &change) })
		change.URI = mcp.URI
		if got, err := store.GetResource(ctx, db, "demo", "mcp"); err != nil || cmp.Diff(&change, got) != "" {
			t.Errorf("after a change: err %v, diff %s", err, cmp.Diff(&change, got))
		}
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.DeleteResource(ctx, "demo", "mcp") })
		here, err1 := store.Resources(ctx, db, "demo", "", 50)
		there, err2 := store.Resources(ctx, db, "other", "", 50)
		if errors.Join(err1, err2) != nil || len(here) != 0 || len(there) != 1 {
			t.Errorf("after the deletion: %d here, %d there, %v %v", len(here), len(there), err1, err2)
		}
		for name, fn := range map[string]func(tx *store.Tx) error{
			"update": func(tx *store.Tx) error { return tx.UpdateResource(ctx, mcp) },
			"delete": func(tx *store.Tx) error { return tx.DeleteResource(ctx, "demo", "mcp") },
		} {
			if err := db.Write(ctx, fn); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s of one that is gone: %v, want ErrNotFound", name, err)
			}
		}
	})
}
