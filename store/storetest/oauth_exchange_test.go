package storetest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// family is a shop in which grt_web was exchanged twice, one of these again,
// and grt_app and grt_bob have nothing to do with it.
func family(t *testing.T, db *store.DB) {
	t.Helper()
	shop(t, db)
	storetest.Client(t, db, "demo", "svc", nil)
	ctx, now := context.Background(), db.Now()
	for i, g := range []store.Grant{
		{ID: "grt_web", ClientID: "web", Subject: "cus_alice"},
		{ID: "grt_svc", ClientID: "svc", Subject: "cus_alice", ParentID: "grt_web", Actor: `{"sub":"svc"}`},
		{ID: "grt_deep", ClientID: "app", Subject: "cus_alice", ParentID: "grt_svc", Actor: `{"sub":"app","act":{"sub":"svc"}}`},
		{ID: "grt_two", ClientID: "svc", Subject: "cus_alice", ParentID: "grt_web", Actor: `{"sub":"svc"}`},
		{ID: "grt_app", ClientID: "app", Subject: "cus_alice"},
		{ID: "grt_bob", ClientID: "web", Subject: "cus_bob"},
	} {
		g.CreatedAt = store.At(now.Add(time.Duration(i) * time.Minute))
		storetest.Grant(t, db, g)
		storetest.Write(t, db, func(tx *store.Tx) error {
			return tx.InsertAccessToken(ctx, access("a_"+g.ID, g.ID, now.Add(time.Hour)))
		})
	}
}

func TestWhatWasExchangedEndsWithItsGrant(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		end            func(tx *store.Tx) (grants, tokens int64, err error)
		grants, tokens int64
		left           []string
	}{
		"one grant": {
			end: func(tx *store.Tx) (int64, int64, error) {
				return 4, 4, tx.RevokeGrant(ctx, "demo", "grt_web", "cus_alice")
			},
			grants: 4, tokens: 4, left: []string{"grt_app", "grt_bob"},
		},
		"one that was exchanged itself": {
			end: func(tx *store.Tx) (int64, int64, error) {
				return 2, 2, tx.RevokeGrant(ctx, "demo", "grt_svc", "cus_alice")
			},
			grants: 2, tokens: 2, left: []string{"grt_app", "grt_bob", "grt_two", "grt_web"},
		},
		"what was exchanged alone": {
			end: func(tx *store.Tx) (int64, int64, error) {
				return 3, 3, tx.RevokeExchanged(ctx, "demo", "grt_web", "web")
			},
			grants: 3, tokens: 3, left: []string{"grt_app", "grt_bob", "grt_web"},
		},
		"a client's": {
			end: func(tx *store.Tx) (int64, int64, error) {
				return tx.RevokeGrants(ctx, store.GrantMatch{Tenant: "demo", Client: "web", Subject: "cus_alice"}, "stf_admin")
			},
			grants: 4, tokens: 4, left: []string{"grt_app", "grt_bob"},
		},
		"the service's": {
			end: func(tx *store.Tx) (int64, int64, error) {
				return tx.RevokeGrants(ctx, store.GrantMatch{Tenant: "demo", Client: "svc"}, "stf_admin")
			},
			grants: 3, tokens: 3, left: []string{"grt_app", "grt_bob", "grt_web"},
		},
		"those before a time, with what came of them later": {
			end: func(tx *store.Tx) (int64, int64, error) {
				return tx.RevokeGrants(ctx, store.GrantMatch{Tenant: "demo", IssuedBefore: store.At(tx.Now().Add(30 * time.Second))}, "stf_admin")
			},
			grants: 4, tokens: 4, left: []string{"grt_app", "grt_bob"},
		},
		"a deleted client's": {
			end: func(tx *store.Tx) (int64, int64, error) {
				return 5, 5, tx.DeleteClient(ctx, "demo", "web", "stf_admin")
			},
			grants: 5, tokens: 5, left: []string{"grt_app"},
		},
		"another tenant's": {
			end: func(tx *store.Tx) (int64, int64, error) {
				return tx.RevokeGrants(ctx, store.GrantMatch{Tenant: "other"}, "stf_admin")
			},
			left: []string{"grt_app", "grt_bob", "grt_deep", "grt_svc", "grt_two", "grt_web"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				family(t, db)
				storetest.Write(t, db, func(tx *store.Tx) error {
					grants, tokens, err := c.end(tx)
					if grants != c.grants || tokens != c.tokens {
						t.Errorf("got %d grants, %d tokens; want %d and %d", grants, tokens, c.grants, c.tokens)
					}
					return err
				})
				left := grantIDs(t, db, store.GrantFilter{LiveAt: store.At(db.Now())})
				slices.Sort(left)
				if diff := cmp.Diff(c.left, left); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestGrantsCanBeListedWithoutWhatWasExchanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		family(t, db)
		if diff := cmp.Diff([]string{"grt_app", "grt_web"}, grantIDs(t, db, store.GrantFilter{Subject: "cus_alice", Root: true})); diff != "" {
			t.Error(diff)
		}
	})
}
