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

func session(t *testing.T, db *store.DB, u *store.User, id string, begun time.Time) *store.Session {
	t.Helper()
	s := &store.Session{
		Hash: []byte("hash of " + id), ID: id, Tenant: u.Tenant, UserID: u.ID,
		CreatedAt: store.At(begun), LastSeenAt: store.At(begun), ExpiresAt: store.At(begun.Add(24 * time.Hour)),
		AMR: store.Words{"pwd"}, IP: "192.0.2.1", UserAgent: "a browser",
	}
	storetest.Write(t, db, func(tx *store.Tx) error { return tx.InsertSession(context.Background(), s) })
	return s
}

func ids(sessions []store.Session) (out []string) {
	for _, s := range sessions {
		out = append(out, s.ID)
	}
	return out
}

func TestSessions(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		alice, bob := storetest.User(t, db, "demo", "cus_alice"), storetest.User(t, db, "demo", "cus_bob")
		now := db.Now()
		first, second := session(t, db, alice, "ses_1", now.Add(-2*time.Hour)), session(t, db, alice, "ses_2", now.Add(-time.Hour))
		session(t, db, bob, "ses_3", now)
		session(t, db, alice, "ses_old", now.Add(-32*24*time.Hour))

		t.Run("is read as it was written, with its person", func(t *testing.T) {
			s, u, err := db.SessionByHash(ctx, first.Hash)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(first, s); diff != "" {
				t.Error(diff)
			}
			if u.ID != alice.ID {
				t.Errorf("person %q, want %q", u.ID, alice.ID)
			}
			if _, _, err := db.SessionByHash(ctx, []byte("nobody's")); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("an unknown key: %v, want ErrNotFound", err)
			}
		})
		t.Run("is another tenant's: not found", func(t *testing.T) {
			if _, err := store.GetSession(ctx, db, "other", first.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("read: %v, want ErrNotFound", err)
			}
			err := db.Write(ctx, func(tx *store.Tx) error { return tx.EndSession(ctx, "other", first.ID) })
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("end: %v, want ErrNotFound", err)
			}
		})
		t.Run("lists newest first, by person, open ones, in pages", func(t *testing.T) {
			f := store.SessionFilter{Tenant: "demo", User: alice.ID, OpenAt: store.At(now), Limit: 10}
			got, err := store.Sessions(ctx, db, f)
			if diff := cmp.Diff([]string{"ses_2", "ses_1"}, ids(got)); err != nil || diff != "" {
				t.Error(err, diff)
			}
			f.After, f.OpenAt = store.SessionPosition{CreatedAt: second.CreatedAt, ID: second.ID}, store.Time{}
			got, err = store.Sessions(ctx, db, f)
			if diff := cmp.Diff([]string{"ses_1", "ses_old"}, ids(got)); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
		t.Run("is touched only where the note is old", func(t *testing.T) {
			minute := store.At(now.Add(-time.Minute))
			for _, at := range []store.Time{store.At(now), store.At(now.Add(time.Second))} {
				storetest.Write(t, db, func(tx *store.Tx) error { return tx.TouchSession(ctx, second.Hash, minute, at) })
			}
			s, err := store.GetSession(ctx, db, "demo", second.ID)
			if err != nil || !s.LastSeenAt.Equal(store.At(now).Time) {
				t.Errorf("last seen %v (%v), want %v", s.LastSeenAt, err, now)
			}
		})
		t.Run("ends once", func(t *testing.T) {
			end := func() error {
				return db.Write(ctx, func(tx *store.Tx) error { return tx.EndSession(ctx, "demo", first.ID) })
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			if err := end(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the second time: %v, want ErrNotFound", err)
			}
		})
		t.Run("end together, but for one", func(t *testing.T) {
			third := session(t, db, alice, "ses_4", now)
			var n int64
			storetest.Write(t, db, func(tx *store.Tx) (err error) {
				n, err = tx.EndSessions(ctx, store.SessionMatch{Tenant: "demo", User: alice.ID, Except: third.ID, Before: store.At(now.Add(time.Hour))})
				return err
			})
			got, err := store.Sessions(ctx, db, store.SessionFilter{Tenant: "demo", OpenAt: store.At(now), Limit: 10})
			if diff := cmp.Diff([]string{"ses_4", "ses_3"}, ids(got)); err != nil || diff != "" || n != 2 {
				t.Error(n, err, diff)
			}
		})
		t.Run("are removed when their time has long passed", func(t *testing.T) {
			var n int64
			storetest.Write(t, db, func(tx *store.Tx) (err error) {
				n, err = tx.DeleteSessions(ctx, 10)
				return err
			})
			if _, err := store.GetSession(ctx, db, "demo", "ses_old"); n != 1 || !errors.Is(err, store.ErrNotFound) {
				t.Errorf("removed %d, then %v", n, err)
			}
		})
	})
}

func TestSetupLinks(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		now := db.Now()
		insert := func(hash string, expires time.Time) {
			storetest.Write(t, db, func(tx *store.Tx) error {
				return tx.InsertSetupLink(ctx, &store.SetupLink{Hash: []byte(hash), Tenant: "demo", ExpiresAt: store.At(expires)})
			})
		}
		use := func(tenant, hash string) error {
			return db.Write(ctx, func(tx *store.Tx) error { return tx.UseSetupLink(ctx, tenant, []byte(hash)) })
		}
		insert("replaced", now.Add(time.Hour))
		insert("good", now.Add(time.Hour))
		if _, err := db.SetupLinkByHash(ctx, "demo", []byte("good"), store.At(now)); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name, tenant, hash string
			want               error
		}{
			{"of another tenant", "other", "good", store.ErrNotFound},
			{"good", "demo", "good", nil},
			{"a second time", "demo", "good", store.ErrNotFound},
			{"replaced by a newer one", "demo", "replaced", store.ErrNotFound},
			{"unknown", "demo", "unknown", store.ErrNotFound},
		} {
			t.Run(c.name, func(t *testing.T) {
				if err := use(c.tenant, c.hash); !errors.Is(err, c.want) {
					t.Errorf("use: %v, want %v", err, c.want)
				}
				if _, err := db.SetupLinkByHash(ctx, c.tenant, []byte(c.hash), store.At(now)); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("read: %v, want ErrNotFound", err)
				}
			})
		}
		t.Run("too old", func(t *testing.T) {
			insert("old", now.Add(-time.Second))
			if err := use("demo", "old"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("use: %v, want ErrNotFound", err)
			}
		})
	})
}
