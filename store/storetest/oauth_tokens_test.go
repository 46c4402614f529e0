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

func code(hash, flow, grant string, expires time.Time) *store.Code {
	return &store.Code{
		Hash: []byte(hash), Flow: flow, GrantID: grant, Tenant: "demo", ClientID: "web", RedirectURI: "http://127.0.0.1:9090/callback",
		Challenge: "challenge", RequestedScopes: store.Words{"points:read", "points:write"}, Scopes: store.Words{"points:read"},
		Audience: "http://demo.localhost/api", CreatedAt: store.At(expires.Add(-time.Minute)), ExpiresAt: store.At(expires),
	}
}

// standing is what a row of grt_1 is read with.
func standing(g *store.Grant) store.Standing {
	return store.Standing{
		SubjectType: "customer", Subject: "cus_alice", AuthTime: g.AuthTime, AMR: store.Words{"pwd"}, GrantEndsAt: g.ExpiresAt,
		Roles: store.Words{}, ClientScopes: store.Words{"points:read", "points:write", "points:transfer", "offline_access"}, Live: true,
	}
}

func TestCodes(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		g := storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
		now := db.Now()
		row := code("c1", "flw_1", "grt_1", now.Add(time.Minute))
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.InsertCode(ctx, row) })

		t.Run("what was written is read with its standing", func(t *testing.T) {
			want := *row
			want.Standing = standing(g)
			got, err := store.GetCode(ctx, db, "demo", []byte("c1"))
			if diff := cmp.Diff(&want, got); err != nil || diff != "" {
				t.Errorf("err %v, diff %s", err, diff)
			}
			if _, err := store.GetCode(ctx, db, "other", []byte("c1")); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("another tenant: got %v, want ErrNotFound", err)
			}
		})
		t.Run("a flow has one code", func(t *testing.T) {
			err := db.Write(ctx, func(tx *store.Tx) error { return tx.InsertCode(ctx, code("c2", "flw_1", "grt_1", now)) })
			if !errors.Is(err, store.ErrExists) {
				t.Errorf("got %v, want ErrExists", err)
			}
		})
		t.Run("a code is used once, and not after its end", func(t *testing.T) {
			use := func(at time.Time) (ok bool) {
				storetest.Write(t, db, func(tx *store.Tx) (err error) {
					ok, err = tx.UseCode(ctx, []byte("c1"), store.At(at))
					return err
				})
				return ok
			}
			if use(now.Add(time.Minute)) {
				t.Error("used at its end")
			}
			if !use(now) || use(now) {
				t.Error("not used exactly once")
			}
		})
	})
}

func TestStanding(t *testing.T) {
	ctx := context.Background()
	change := func(statement func(tx *store.Tx) error) func(*testing.T, *store.DB) {
		return func(t *testing.T, db *store.DB) { storetest.Write(t, db, statement) }
	}
	exec := func(query string) func(tx *store.Tx) error {
		return func(tx *store.Tx) error { return tx.ExecOne(ctx, store.ErrNotFound, query) }
	}
	for name, kill := range map[string]func(*testing.T, *store.DB){
		"the grant is revoked":           change(func(tx *store.Tx) error { return tx.RevokeGrant(ctx, "demo", "grt_1", "x") }),
		"the client is disabled":         change(func(tx *store.Tx) error { return tx.DisableClient(ctx, "demo", "web") }),
		"the client is gone":             change(exec(`DELETE FROM clients WHERE id = 'web'`)),
		"the person is disabled":         change(exec(`UPDATE users SET disabled_at = 1 WHERE id = 'cus_alice'`)),
		"the person is another kind now": change(exec(`UPDATE users SET type = 'staff' WHERE id = 'cus_alice'`)),
	} {
		t.Run("dead when "+name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				shop(t, db)
				storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
				end := db.Now().Add(time.Hour)
				storetest.Write(t, db, func(tx *store.Tx) error {
					return errors.Join(tx.InsertCode(ctx, code("c1", "flw_1", "grt_1", end)),
						tx.InsertAccessToken(ctx, access("a1", "grt_1", end)), tx.InsertRefreshToken(ctx, refresh("r1", "grt_1", end)))
				})
				want := map[bool][3]bool{false: {true, true, true}, true: {}}
				for _, dead := range []bool{false, true} {
					if dead {
						kill(t, db)
					}
					c, err1 := store.GetCode(ctx, db, "demo", []byte("c1"))
					a, err2 := store.GetAccessToken(ctx, db, []byte("a1"))
					r, err3 := store.GetRefreshToken(ctx, db, []byte("r1"))
					if err := errors.Join(err1, err2, err3); err != nil {
						t.Fatal(err)
					}
					if got := [3]bool{c.Live, a.Live, r.Live}; got != want[dead] {
						t.Errorf("dead=%v: code, access and refresh token are live: %v", dead, got)
					}
				}
			})
		})
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		storetest.User(t, db, "demo", "stf_eve", "support", "auditor")
		storetest.Write(t, db, func(tx *store.Tx) error { return exec(`UPDATE clients SET trusted = TRUE WHERE id = 'app'`)(tx) })
		end := db.Now().Add(time.Hour)
		storetest.Grant(t, db, store.Grant{ID: "grt_staff", ClientID: "web", SubjectType: "staff", Subject: "stf_eve"})
		storetest.Grant(t, db, store.Grant{ID: "grt_own", ClientID: "app", SubjectType: "client", Subject: "app"})
		storetest.Write(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertAccessToken(ctx, access("a1", "grt_staff", end)), tx.InsertAccessToken(ctx, access("a2", "grt_own", end)))
		})
		staff, err1 := store.GetAccessToken(ctx, db, []byte("a1"))
		own, err2 := store.GetAccessToken(ctx, db, []byte("a2"))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(store.Words{"support", "auditor"}, staff.Roles); diff != "" || !staff.Live || staff.Trusted {
			t.Errorf("staff: live %v, trusted %v, roles %s", staff.Live, staff.Trusted, diff)
		}
		if !own.Live || !own.Trusted || !own.AuthTime.IsZero() {
			t.Errorf("a client's own: %+v", own.Standing)
		}
	})
}

func TestRefreshTokens(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		g := storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
		now := db.Now()
		row := refresh("r1", "grt_1", now.Add(time.Hour))
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.InsertRefreshToken(ctx, row) })
		row.UsedAt, row.NextHash, row.Successor, row.GraceEndsAt = store.At(now), []byte("r2"), []byte("sealed"), store.At(now.Add(-time.Millisecond))
		use := func() (ok bool) {
			storetest.Write(t, db, func(tx *store.Tx) (err error) { ok, err = tx.UseRefreshToken(ctx, row); return err })
			return ok
		}
		if !use() || use() {
			t.Error("not used exactly once")
		}
		want := *row
		want.Standing = standing(g)
		if got, err := store.GetRefreshToken(ctx, db, []byte("r1")); err != nil || cmp.Diff(&want, got) != "" {
			t.Errorf("%v %s", err, cmp.Diff(&want, got))
		}
		var emptied, again int64
		storetest.Write(t, db, func(tx *store.Tx) (err error) {
			emptied, err = tx.EmptySuccessors(ctx, 9)
			if err == nil {
				again, err = tx.EmptySuccessors(ctx, 9)
			}
			return err
		})
		got, err := store.GetRefreshToken(ctx, db, []byte("r1"))
		if err != nil || emptied != 1 || again != 0 || len(got.Successor) != 0 || string(got.NextHash) != "r2" {
			t.Errorf("%v, emptied %d then %d, row %+v", err, emptied, again, got)
		}
	})
}

// TestEndedRowsAreDeleted: of each kind one that is to go and one that stays.
func TestEndedRowsAreDeleted(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		shop(t, db)
		now := db.Now()
		ended := func(ago time.Duration) store.Time { return store.At(now.Add(-ago)) }
		storetest.Grant(t, db, store.Grant{ID: "grt_live", ClientID: "web", Subject: "cus_alice"})
		storetest.Grant(t, db, store.Grant{ID: "grt_recent", ClientID: "web", Subject: "cus_alice", ExpiresAt: ended(time.Hour)})
		storetest.Grant(t, db, store.Grant{ID: "grt_old", ClientID: "web", Subject: "cus_alice", ExpiresAt: ended(91 * 24 * time.Hour)})
		storetest.Grant(t, db, store.Grant{ID: "grt_own", ClientID: "web", SubjectType: "client", Subject: "web", ExpiresAt: ended(25 * time.Hour)})
		storetest.Grant(t, db, store.Grant{ID: "grt_own_token", ClientID: "web", SubjectType: "client", Subject: "web", ExpiresAt: ended(25 * time.Hour)})
		storetest.Grant(t, db, store.Grant{ID: "grt_exchanged", ClientID: "app", Subject: "cus_alice", ParentID: "grt_live", ExpiresAt: ended(25 * time.Hour)})
		storetest.Write(t, db, func(tx *store.Tx) error {
			return errors.Join(
				tx.InsertCode(ctx, code("gone", "flw_1", "grt_live", now.Add(-2*time.Hour))),
				tx.InsertCode(ctx, code("stays", "flw_2", "grt_live", now.Add(-time.Minute))),
				tx.InsertAccessToken(ctx, access("gone", "grt_live", now.Add(-25*time.Hour))),
				tx.InsertAccessToken(ctx, access("stays", "grt_own_token", now.Add(-23*time.Hour))),
				tx.InsertRefreshToken(ctx, refresh("gone", "grt_live", now.Add(-time.Minute))),
				tx.InsertRefreshToken(ctx, refresh("stays", "grt_live", now.Add(time.Minute))))
		})
		got := map[string]int64{}
		storetest.Write(t, db, func(tx *store.Tx) error {
			for name, remove := range map[string]func(context.Context, int) (int64, error){
				"codes": tx.DeleteCodes, "access": tx.DeleteAccessTokens, "refresh": tx.DeleteRefreshTokens, "client grants": tx.DeleteClientGrants,
			} {
				n, err := remove(ctx, 9)
				if err != nil {
					return err
				}
				got[name] = n
			}
			n, err := tx.DeleteGrants(ctx, 9)
			got["grants"] = n
			return err
		})
		if diff := cmp.Diff(map[string]int64{"codes": 1, "access": 1, "refresh": 1, "client grants": 2, "grants": 1}, got); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"grt_own_token", "grt_recent", "grt_live"}, grantIDs(t, db, store.GrantFilter{})); diff != "" {
			t.Error(diff)
		}
	})
}
