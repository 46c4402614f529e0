package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestPeople(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		for _, id := range []string{"cus_a", "cus_b", "cus_c"} {
			storetest.User(t, db, "demo", id)
		}
		storetest.User(t, db, "other", "cus_o")
		storetest.User(t, db, "demo", "stf_a", "super_admin", "auditor")
		storetest.User(t, db, "demo", "stf_b", "super_admin_of_nothing")

		ids := func(f store.UserFilter) (out []string) {
			t.Helper()
			users, err := store.Users(background, db, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range users {
				out = append(out, u.ID)
			}
			return out
		}
		for name, tc := range map[string]struct {
			filter store.UserFilter
			want   []string
		}{
			"a page":         {store.UserFilter{Tenant: "demo", Type: "customer", Limit: 2}, []string{"cus_a", "cus_b"}},
			"the next":       {store.UserFilter{Tenant: "demo", Type: "customer", After: "cus_b", Limit: 2}, []string{"cus_c"}},
			"staff":          {store.UserFilter{Tenant: "demo", Type: "staff", Limit: 9}, []string{"stf_a", "stf_b"}},
			"an address":     {store.UserFilter{Tenant: "demo", Type: "customer", Email: " CUS_B@demo.example", Limit: 9}, []string{"cus_b"}},
			"another tenant": {store.UserFilter{Tenant: "other", Type: "customer", Limit: 9}, []string{"cus_o"}},
		} {
			if d := cmp.Diff(tc.want, ids(tc.filter)); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}

		admins, err := store.StaffWith(background, db, "demo", "super_admin")
		if d := cmp.Diff([]string{"stf_a"}, admins); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
		u, err := store.GetUser(background, db, "demo", "stf_a")
		if err != nil {
			t.Fatal(err)
		}
		u.DisabledAt, u.Name = store.At(db.Now()), "Gone"
		storetest.Write(t, db, func(tx *store.Tx) error { return tx.UpdateUser(background, u) })
		if admins, _ = store.StaffWith(background, db, "demo", "super_admin"); len(admins) != 0 {
			t.Errorf("a disabled one counts: %v", admins)
		}
		if n, err := db.CountStaff(background, "demo"); n != 1 || err != nil {
			t.Errorf("%d enabled staff, %v", n, err)
		}
		u.Email = "stf_b@demo.example"
		if err := db.Write(background, func(tx *store.Tx) error { return tx.UpdateUser(background, u) }); !errors.Is(err, store.ErrExists) {
			t.Errorf("a taken address: %v", err)
		}
		u.ID = "stf_nobody"
		if err := db.Write(background, func(tx *store.Tx) error { return tx.UpdateUser(background, u) }); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}
