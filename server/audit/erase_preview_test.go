package audit_test

import (
	"fmt"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestWhoIsKnown: users, and those of whom the log shows that they were; not what
// somebody typed.
func TestWhoIsKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		storetest.Tenant(t, db, "demo")
		storetest.Tenant(t, db, "other")
		storetest.User(t, db, "demo", "cus_here")
		storetest.User(t, db, "other", "cus_there")
		const valid = `"context":{"authentication":{"status":"valid"}}`
		add := func(r store.Record, input string) {
			t.Helper()
			storetest.Write(t, db, func(tx *store.Tx) error {
				r.ID, r.At, r.Action = fmt.Sprintf("dec-%s-%s-%s", r.Subject, r.Resource, r.Related), tx.Now(), "points.read"
				if r.Tenant == "" {
					r.Tenant = "demo"
				}
				r.Body = fmt.Appendf(nil, `{"input":{%s},"custom":{"tenant":%q}}`, input, r.Tenant)
				tx.Record(&r)
				return nil
			})
		}
		add(store.Record{Subject: "was_subject"}, `"subject":{"type":"customer","id":"was_subject"},`+valid)
		add(store.Record{Subject: "not_proven"}, `"subject":{"type":"customer","id":"not_proven"},"context":{"authentication":{"status":"invalid"}}`)
		add(store.Record{Subject: "shop"}, `"subject":{"type":"client","id":"shop"},`+valid)
		add(store.Record{Subject: "pn_of_masked"}, `"subject":{"type":"staff","id":"pn_of_masked"},`+valid)
		add(store.Record{Resource: "was_owner"}, `"resource":{"type":"points_account","id":"was_owner","properties":{"owner":"was_owner"}}`)
		add(store.Record{Resource: "typed"}, `"resource":{"type":"points_account","id":"typed"}`)
		add(store.Record{Related: "got_points", Allow: true, Status: 201}, ``)
		add(store.Record{Related: "got_none", Allow: true, Status: 409}, ``)
		add(store.Record{Subject: "elsewhere", Tenant: "other"}, `"subject":{"type":"customer","id":"elsewhere"},`+valid)
		e := eraser(db, "one")
		for person, want := range map[string]bool{
			"cus_here": true, "cus_there": false, "was_subject": true, "not_proven": false, "shop": false, "masked": true, "was_owner": true,
			"typed": false, "got_points": true, "got_none": false, "elsewhere": false, "nobody": false,
		} {
			if known, err := e.Knows(background, "demo", person); err != nil || known != want {
				t.Errorf("%s: %v, %v", person, known, err)
			}
		}
	})
}

// TestAPreviewCountsWhatIsEmptied, over more than one step, and changes nothing.
func TestAPreviewCountsWhatIsEmptied(t *testing.T) {
	db := storetest.SQLite(t)
	storetest.Tenant(t, db, "demo")
	put(t, db, 300)
	size, err := db.LogSize(background)
	if err != nil {
		t.Fatal(err)
	}
	would, err := eraser(db, "one").Preview(background, "demo", "cus_a", "stf_admin")
	if err != nil || would.Size != size || would.Position != size || would.Records != 300 {
		t.Fatalf("%+v, %v", would, err)
	}
	if full, empty := kept(t, db); empty != 0 || full != int(size) {
		t.Errorf("%d are empty", empty)
	}
	ask(t, db, "wish", "cus_a")
	if err := eraser(db, "one").Pass(background); err != nil {
		t.Fatal(err)
	}
	if done, err := store.GetErasure(background, db, "demo", "wish"); err != nil || done.Records != would.Records {
		t.Errorf("%+v, %v", done, err)
	}
	if own, err := eraser(db, "one").Preview(background, "demo", "cus_b", "cus_a"); err != nil || own.Records != 0 {
		t.Errorf("%+v, %v", own, err)
	}
}
