package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// told takes what is noted for clients, by client and session.
func told(t *testing.T, db *store.DB) (out []string) {
	t.Helper()
	all, err := db.DueLogouts(context.Background(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		out = append(out, l.ClientID+" "+l.SessionID+" "+l.Subject+" "+l.URI)
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.DeleteLogout(context.Background(), l.ID) })
	}
	slices.Sort(out)
	return out
}

func TestLogouts(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		alice, now := storetest.User(t, db, "demo", "cus_alice"), db.Now()
		hears := func(uri string) func(c *store.Client) { return func(c *store.Client) { c.BackchannelURI = uri } }
		storetest.Client(t, db, "demo", "rp", hears("https://rp.example/logout"))
		storetest.Client(t, db, "demo", "second", hears("https://second.example/logout"))
		storetest.Client(t, db, "demo", "deaf", nil)
		storetest.Client(t, db, "demo", "disabled", func(c *store.Client) { c.BackchannelURI, c.DisabledAt = "https://x.example/", store.At(now) })
		storetest.Client(t, db, "other", "rp", hears("https://other.example/logout"))
		openid := store.Words{"openid", "points:read"}
		for _, g := range []store.Grant{
			{ID: "grt_1", ClientID: "rp", SessionID: "ses_1", Scopes: openid},
			{ID: "grt_2", ClientID: "rp", SessionID: "ses_1", Scopes: store.Words{"openid"}},
			{ID: "grt_3", ClientID: "second", SessionID: "ses_1", Scopes: openid, RevokedAt: store.At(now), ExpiresAt: store.At(now)},
			{ID: "grt_4", ClientID: "deaf", SessionID: "ses_1", Scopes: openid},
			{ID: "grt_5", ClientID: "disabled", SessionID: "ses_1", Scopes: openid},
			{ID: "grt_6", ClientID: "rp", SessionID: "ses_2", Scopes: openid},
			{ID: "grt_7", ClientID: "second", SessionID: "ses_2", Scopes: store.Words{"openidx", "xopenid", "points:read"}},
			{ID: "grt_8", ClientID: "second", SessionID: "", Scopes: openid},
			{ID: "grt_9", ClientID: "second", SessionID: "ses_2", Scopes: openid, Actor: `{"sub":"rp"}`},
		} {
			g.Subject = alice.ID
			storetest.Grant(t, db, g)
		}
		for _, id := range []string{"ses_1", "ses_2", "ses_3"} {
			session(t, db, alice, id, now)
		}
		write := func(fn func(tx *store.Tx) error) error { return db.Write(ctx, fn) }
		t.Run("a session that ends is told to those who know it, once", func(t *testing.T) {
			for _, want := range []error{nil, store.ErrNotFound} {
				if err := write(func(tx *store.Tx) error { return tx.EndSession(ctx, "demo", "ses_1") }); !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			}
			want := []string{"rp ses_1 cus_alice https://rp.example/logout", "second ses_1 cus_alice https://second.example/logout"}
			if diff := cmp.Diff(want, told(t, db)); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("nobody is told of an end that was undone, or of another tenant's", func(t *testing.T) {
			undo := errors.New("undo")
			if err := write(func(tx *store.Tx) error { return errors.Join(tx.EndSession(ctx, "demo", "ses_2"), undo) }); !errors.Is(err, undo) {
				t.Error(err)
			}
			if err := write(func(tx *store.Tx) error { return tx.EndSession(ctx, "other", "ses_2") }); !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
			if got := told(t, db); got != nil {
				t.Error(got)
			}
		})
		t.Run("a login in the session tells nobody, and changes its key", func(t *testing.T) {
			s := &store.Session{Hash: []byte("another key"), ID: "ses_2", Tenant: "demo", UserID: alice.ID, CreatedAt: store.At(now.Add(time.Minute)),
				LastSeenAt: store.At(now.Add(time.Minute)), ExpiresAt: store.At(now.Add(time.Hour)), AMR: store.Words{"pwd"}, IP: "192.0.2.9", UserAgent: "b"}
			if err := write(func(tx *store.Tx) error { return tx.RenewSession(ctx, s) }); err != nil {
				t.Fatal(err)
			}
			got, _, err := db.SessionByHash(ctx, s.Hash)
			if diff := cmp.Diff(s, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			if _, _, err := db.SessionByHash(ctx, []byte("hash of ses_2")); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the key from before: %v", err)
			}
			for name, change := range map[string]func(s *store.Session){
				"another's": func(s *store.Session) { s.UserID = "cus_bob" }, "another tenant's": func(s *store.Session) { s.Tenant = "other" },
				"ended": func(s *store.Session) { s.ID = "ses_1" },
			} {
				bad := *s
				change(&bad)
				if err := write(func(tx *store.Tx) error { return tx.RenewSession(ctx, &bad) }); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if got := told(t, db); got != nil {
				t.Error(got)
			}
		})
		t.Run("all sessions of a person", func(t *testing.T) {
			err := write(func(tx *store.Tx) error {
				n, err := tx.EndSessions(ctx, store.SessionMatch{Tenant: "demo", User: alice.ID})
				if n != 2 {
					t.Errorf("%d sessions, want 2", n)
				}
				return err
			})
			if diff := cmp.Diff([]string{"rp ses_2 cus_alice https://rp.example/logout"}, told(t, db)); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	})
}

func TestLogoutsAreTriedByOneAtATime(t *testing.T) {
	ctx := context.Background()
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		now := time.Now().Truncate(time.Microsecond)
		o.Now = func() time.Time { return now }
		db := storetest.Open(t, o)
		storetest.Tenant(t, db, "demo")
		alice := storetest.User(t, db, "demo", "cus_alice")
		storetest.Client(t, db, "demo", "rp", func(c *store.Client) { c.BackchannelURI = "https://rp.example/logout" })
		storetest.Grant(t, db, store.Grant{ID: "grt_1", ClientID: "rp", Subject: alice.ID, SessionID: "ses_1", Scopes: store.Words{"openid"}})
		session(t, db, alice, "ses_1", now)
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.EndSession(ctx, "demo", "ses_1") })
		due, err := db.DueLogouts(ctx, 10)
		if err != nil || len(due) != 1 || due[0].Tries != 0 || !due[0].CreatedAt.Equal(now) {
			t.Fatal(due, err)
		}
		try := func() error {
			return db.Write(ctx, func(tx *store.Tx) error { return tx.TryLogout(ctx, &due[0], store.At(now.Add(time.Minute))) })
		}
		if err := try(); err != nil {
			t.Fatal(err)
		}
		if err := try(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a second one: %v", err)
		}
		if got, _ := db.DueLogouts(ctx, 10); len(got) != 0 {
			t.Errorf("due again at once: %+v", got)
		}
		now = now.Add(time.Minute)
		if got, _ := db.DueLogouts(ctx, 10); len(got) != 1 || got[0].Tries != 1 {
			t.Errorf("after its pause: %+v", got)
		}
	})
}

func TestNobodyHoldsUpTheLogoutsOfOthers(t *testing.T) {
	ctx := context.Background()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Client(t, db, "demo", "rp", func(c *store.Client) { c.BackchannelURI = "https://rp.example/logout" })
		end := func(who *store.User, id string) {
			storetest.Grant(t, db, store.Grant{ID: "grt_" + id, ClientID: "rp", Subject: who.ID, SessionID: id, Scopes: store.Words{"openid"}})
			session(t, db, who, id, db.Now())
			storetest.Write(t, db, func(tx *store.Tx) error { return tx.EndSession(ctx, "demo", id) })
		}
		mallory, alice := storetest.User(t, db, "demo", "cus_mallory"), storetest.User(t, db, "demo", "cus_alice")
		for n := range 20 {
			end(mallory, fmt.Sprintf("ses_m%d", n))
		}
		end(alice, "ses_alice")
		due, err := db.DueLogouts(ctx, 40)
		if err != nil || len(due) != 11 || !slices.ContainsFunc(due, func(l store.Logout) bool { return l.SessionID == "ses_alice" }) {
			t.Errorf("%v %+v", err, due)
		}
	})
}
