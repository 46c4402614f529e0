package admin_test

import (
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestRevocations(t *testing.T) {
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for name, tc := range map[string]struct {
		body                     string
		grants, sessions, tokens float64
	}{
		"of a client":               {`{"client":"web"}`, 2, 0, 1},
		"of a customer":             {`{"customer":"cus_a"}`, 1, 1, 0},
		"of a member of staff":      {`{"customer":"stf_s"}`, 0, 0, 1},
		"of a customer to a client": {`{"client":"web","customer":"cus_a"}`, 1, 0, 0},
		"of a tenant":               {`{"tenant":"demo"}`, 2, 2, 2},
		"of long ago":               {`{"tenant":"demo","issued_before":"2001-01-01T00:00:00Z"}`, 0, 0, 0},
		"of all before a time":      {`{"issued_before":"` + later + `"}`, 2, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				storetest.User(t, db, "demo", "cus_a")
				storetest.User(t, db, "demo", "cus_b")
				storetest.User(t, db, "demo", "stf_s", "viewer")
				w.ok(201, "admin", "POST", "/clients", webClient)
				w.ok(201, "admin", "POST", "/keys", `{"client_id":"web","name":"k","scopes":["points:read"]}`)
				w.ok(201, "admin", "POST", "/tokens", `{"staff_id":"stf_s","name":"t","scopes":["points:read"]}`)
				w.grantOf("demo", "web", "cus_a")
				w.grantOf("demo", "web", "cus_b")
				want := map[string]any{"grants": tc.grants, "sessions": tc.sessions, "tokens": tc.tokens}
				equal(t, "counts", w.ok(201, "admin", "POST", "/revocations", tc.body).object(t), want)
				equal(t, "once more", w.ok(201, "admin", "POST", "/revocations", tc.body).object(t),
					map[string]any{"grants": 0.0, "sessions": 0.0, "tokens": 0.0})
			})
		})
	}
}

func TestARevocationOfNobodyIsNoSuccess(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for _, body := range []string{`{"client":"nope"}`, `{"customer":"cus_nope"}`} {
		equal(t, body, w.as("admin", "POST", "/revocations", body).status, 404)
	}
}

func TestLiveOnesAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		storetest.User(t, db, "demo", "cus_a")
		storetest.User(t, db, "demo", "cus_b")
		dead, ended := w.grantOf("demo", "web", "cus_a")
		alive, open := w.grantOf("demo", "web", "cus_b")
		for range 2 { // the second time nothing is left to do
			w.ok(204, "admin", "DELETE", "/grants/"+dead, "")
			w.ok(204, "admin", "DELETE", "/sessions/"+ended, "")
		}
		equal(t, "live grants", w.ids("admin", "/grants?live=true"), []string{alive})
		equal(t, "live sessions", w.ids("admin", "/sessions?live=true"), []string{open})
		equal(t, "all grants", w.ids("admin", "/grants"), []string{alive, dead})
		equal(t, "all sessions", w.ids("admin", "/sessions"), []string{open, ended})
	})
}
