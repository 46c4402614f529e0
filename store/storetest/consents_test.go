package storetest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

const api = "http://demo.localhost/api"

func consented(t *testing.T, db *store.DB, user, client, audience string) []string {
	t.Helper()
	c, err := store.GetConsent(context.Background(), db, "demo", user, client, audience)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return c.Scopes
}

func TestRememberedIsWhatWasGivenLast(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, step := range []struct{ asked, given, want []string }{
			{[]string{"a"}, nil, nil},
			{[]string{"a", "b"}, []string{"a"}, []string{"a"}},
			{[]string{"c"}, []string{"c"}, []string{"c", "a"}},
			{[]string{"a", "b"}, []string{"b"}, []string{"b", "c"}},
			{[]string{"b", "c"}, nil, []string{}},
		} {
			storetest.Write(t, db, func(tx *store.Tx) error {
				return tx.Remember(ctx, &store.Consent{Tenant: "demo", UserID: "cus_a", ClientID: "web", Audience: api, Scopes: step.given}, step.asked)
			})
			if diff := cmp.Diff(step.want, consented(t, db, "cus_a", "web", api)); diff != "" {
				t.Errorf("asked %v, given %v: %s", step.asked, step.given, diff)
			}
		}
	})
}

func TestForget(t *testing.T) {
	ctx := context.Background()
	for name, tc := range map[string]struct {
		match store.ConsentMatch
		left  int
	}{
		"all of a tenant":       {store.ConsentMatch{}, 0},
		"a client's":            {store.ConsentMatch{Client: "web"}, 1},
		"a person's":            {store.ConsentMatch{User: "cus_a"}, 1},
		"a client of a person":  {store.ConsentMatch{User: "cus_a", Client: "web"}, 2},
		"an audience":           {store.ConsentMatch{Audience: "https://mcp.example"}, 3},
		"none that are so old":  {store.ConsentMatch{Before: store.At(time.Now().Add(-time.Hour))}, 4},
		"all that are so old":   {store.ConsentMatch{Before: store.At(time.Now().Add(time.Hour))}, 0},
		"of nobody who is here": {store.ConsentMatch{User: "cus_x"}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				for _, c := range []store.Consent{
					{UserID: "cus_a", ClientID: "web", Audience: api}, {UserID: "cus_a", ClientID: "web", Audience: "https://mcp.example"},
					{UserID: "cus_a", ClientID: "app", Audience: api}, {UserID: "cus_b", ClientID: "web", Audience: api},
				} {
					for _, tenant := range []string{"demo", "other"} {
						c.Tenant, c.Scopes = tenant, store.Words{"a"}
						storetest.Write(t, db, func(tx *store.Tx) error { return tx.Remember(ctx, &c, nil) })
					}
				}
				tc.match.Tenant = "demo"
				storetest.Write(t, db, func(tx *store.Tx) error { return tx.Forget(ctx, tc.match) })
				count := func(tenant string) (n int) {
					for _, user := range []string{"cus_a", "cus_b"} {
						all, err := store.Consents(ctx, db, tenant, user, 50)
						if err != nil {
							t.Fatal(err)
						}
						n += len(all)
					}
					return n
				}
				if count("demo") != tc.left || count("other") != 4 {
					t.Errorf("%d are left, and %d of another tenant; want %d and 4", count("demo"), count("other"), tc.left)
				}
			})
		})
	}
}

func TestADeletedClientIsForgotten(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		for _, client := range []string{"web", "app"} {
			c := store.Consent{Tenant: "demo", UserID: "cus_alice", ClientID: client, Audience: api, Scopes: store.Words{"a"}}
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.Remember(ctx, &c, nil) })
		}
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.DeleteClient(ctx, "demo", "web", "stf_admin") })
		if consented(t, db, "cus_alice", "web", api) != nil || consented(t, db, "cus_alice", "app", api) == nil {
			t.Error("the wrong one is forgotten")
		}
	})
}
