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

// shop is a tenant with alice, bob, and two clients.
func shop(t *testing.T, db *store.DB) {
	t.Helper()
	storetest.Tenant(t, db, "demo")
	storetest.User(t, db, "demo", "cus_alice")
	storetest.User(t, db, "demo", "cus_bob")
	storetest.Client(t, db, "demo", "web", nil)
	storetest.Client(t, db, "demo", "app", nil)
}

func grantIDs(t *testing.T, db *store.DB, f store.GrantFilter) []string {
	t.Helper()
	if f.Limit == 0 {
		f.Limit = 50
	}
	f.Tenant = "demo"
	all, err := store.Grants(context.Background(), db, f)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, g := range all {
		out = append(out, g.ID)
	}
	return out
}

func TestGrants(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		now := db.Now()
		at := func(minutes int) store.Time { return store.At(now.Add(time.Duration(minutes) * time.Minute)) }
		first := storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice", Audience: store.Words{"https://mcp.example"}, CreatedAt: at(1)})
		storetest.Grant(t, db, store.Grant{ID: "grt_2", ClientID: "web", Subject: "cus_bob", CreatedAt: at(2)})
		storetest.Grant(t, db, store.Grant{ID: "grt_3", ClientID: "app", Subject: "cus_alice", CreatedAt: at(3)})
		storetest.Grant(t, db, store.Grant{ID: "grt_4", ClientID: "app", Subject: "cus_alice", CreatedAt: at(4), ExpiresAt: store.At(now.Add(-time.Second))})
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.RevokeGrant(ctx, "demo", "grt_3", "cus_alice") })

		first.ClientName = "The app web"
		if got, err := store.GetGrant(ctx, db, "demo", "grt_1"); err != nil || cmp.Diff(first, got) != "" {
			t.Errorf("what was written is not what is read: %v %s", err, cmp.Diff(first, got))
		}
		for name, c := range map[string]struct {
			filter store.GrantFilter
			want   []string
		}{
			"all, newest first": {store.GrantFilter{}, []string{"grt_4", "grt_3", "grt_2", "grt_1"}},
			"of a client":       {store.GrantFilter{Client: "web"}, []string{"grt_2", "grt_1"}},
			"of a person":       {store.GrantFilter{Subject: "cus_alice"}, []string{"grt_4", "grt_3", "grt_1"}},
			"live":              {store.GrantFilter{LiveAt: store.At(now)}, []string{"grt_2", "grt_1"}},
			"a page":            {store.GrantFilter{After: store.GrantPosition{CreatedAt: store.At(now.Add(3 * time.Minute)), ID: "grt_3"}, Limit: 1}, []string{"grt_2"}},
			"none":              {store.GrantFilter{Client: "web", Subject: "cus_nobody"}, []string{}},
		} {
			t.Run(name, func(t *testing.T) {
				if diff := cmp.Diff(c.want, grantIDs(t, db, c.filter)); diff != "" {
					t.Error(diff)
				}
			})
		}
		t.Run("another tenant's is not there", func(t *testing.T) {
			_, err := store.GetGrant(ctx, db, "other", "grt_1")
			revoke := db.Write(ctx, func(tx *store.Tx) error { return tx.RevokeGrant(ctx, "other", "grt_1", "x") })
			if !errors.Is(err, store.ErrNotFound) || !errors.Is(revoke, store.ErrNotFound) {
				t.Errorf("read %v, revoke %v; want ErrNotFound", err, revoke)
			}
		})
		t.Run("a second revocation keeps the first", func(t *testing.T) {
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.RevokeGrant(ctx, "demo", "grt_3", "stf_admin") })
			if g, err := store.GetGrant(ctx, db, "demo", "grt_3"); err != nil || g.RevokedBy != "cus_alice" {
				t.Errorf("revoked by %q, %v", g.RevokedBy, err)
			}
		})
	})
}

func TestRevokeGrantsCounts(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		now := db.Now()
		storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
		storetest.Grant(t, db, store.Grant{ID: "grt_2", ClientID: "web", Subject: "cus_bob"})
		storetest.Grant(t, db, store.Grant{ID: "grt_3", ClientID: "web", Subject: "cus_alice", CreatedAt: store.At(now.Add(time.Hour))})
		storetest.Write(t, db, func(tx *store.Tx) error {
			return errors.Join(
				tx.InsertAccessToken(ctx, access("a1", "grt_1", now.Add(time.Hour))),
				tx.InsertAccessToken(ctx, access("a2", "grt_1", now.Add(-time.Hour))),
				tx.InsertAccessToken(ctx, access("a3", "grt_2", now.Add(time.Hour))),
				tx.InsertRefreshToken(ctx, refresh("r1", "grt_1", now.Add(time.Hour))))
		})
		var grants, tokens int64
		storetest.Write(t, db, func(tx *store.Tx) (err error) {
			grants, tokens, err = tx.RevokeGrants(ctx, store.GrantMatch{
				Tenant: "demo", Client: "web", Subject: "cus_alice", IssuedBefore: store.At(now.Add(time.Minute))}, "stf_admin")
			return err
		})
		if grants != 1 || tokens != 2 {
			t.Errorf("got %d grants, %d tokens; want 1 and 2", grants, tokens)
		}
		if diff := cmp.Diff([]string{"grt_3", "grt_2"}, grantIDs(t, db, store.GrantFilter{LiveAt: store.At(now)})); diff != "" {
			t.Error(diff)
		}
		storetest.Write(t, db, func(tx *store.Tx) (err error) {
			grants, _, err = tx.RevokeGrants(ctx, store.GrantMatch{Tenant: "demo"}, "stf_admin")
			return err
		})
		if grants != 2 {
			t.Errorf("the rest: got %d, want 2", grants)
		}
	})
}

func TestGrantsForAnAudienceEndAlone(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
		storetest.Grant(t, db, store.Grant{ID: "grt_2", ClientID: "web", Subject: "cus_alice", Audience: store.Words{"https://mcp.example"}})
		storetest.Write(t, db, func(tx *store.Tx) error {
			_, _, err := tx.RevokeGrants(ctx, store.GrantMatch{Tenant: "demo", Audience: "https://mcp.example"}, "stf_admin")
			return err
		})
		if diff := cmp.Diff([]string{"grt_1"}, grantIDs(t, db, store.GrantFilter{LiveAt: store.At(db.Now())})); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUseOfAGrantIsNotedOnceInAWhile(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		start := store.At(db.Now())
		at := func(seconds int) store.Time { return store.At(start.Add(time.Duration(seconds) * time.Second)) }
		storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
		touch := func(ip string, seconds int) {
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.TouchGrant(ctx, "grt_1", ip, at(seconds-60), at(seconds)) })
		}
		is := func(ip string, seconds int) {
			t.Helper()
			g, err := store.GetGrant(ctx, db, "demo", "grt_1")
			if err != nil || g.LastIP != ip || !g.LastUsedAt.Equal(at(seconds).Time) {
				t.Errorf("%v from %q, %v; want second %d from %q", g.LastUsedAt, g.LastIP, err, seconds, ip)
			}
		}
		touch("192.0.2.1", 0)
		is("192.0.2.1", 0)
		touch("192.0.2.2", 59)
		is("192.0.2.1", 0)
		touch("192.0.2.3", 61)
		is("192.0.2.3", 61)
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.RevokeGrant(ctx, "demo", "grt_1", "x") })
		touch("192.0.2.4", 200)
		is("192.0.2.3", 61)
	})
}

func access(hash, grant string, expires time.Time) *store.AccessToken {
	return &store.AccessToken{
		Hash: []byte(hash), GrantID: grant, Tenant: "demo", ClientID: "web", Scopes: store.Words{"points:read"},
		Audience: "http://demo.localhost/api", CreatedAt: store.At(expires.Add(-time.Hour)), ExpiresAt: store.At(expires),
	}
}

func refresh(hash, grant string, expires time.Time) *store.RefreshToken {
	return &store.RefreshToken{
		Hash: []byte(hash), GrantID: grant, Tenant: "demo", ClientID: "web", Scopes: store.Words{"points:read", "offline_access"},
		Audience: "http://demo.localhost/api", CreatedAt: store.At(expires.Add(-time.Hour)), ExpiresAt: store.At(expires), KeptUntil: store.At(expires),
	}
}
