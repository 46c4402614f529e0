package admin_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestLife takes one object of each kind through its life.
func TestLife(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.ok(201, "admin", "POST", "/clients", serviceClient)
		for _, tc := range []struct {
			path, create, id, patch string
			member                  string
			value                   any
		}{
			{"/clients", webClient, "web", `{"refresh_grace":0}`, "refresh_grace", 0.0},
			{"/customers", `{"id":"cus_1","email":"One@demo.example","name":"One"}`, "cus_1", `{"email":"Uno@Demo.Example"}`, "email", "uno@demo.example"},
			{"/staff", `{"id":"stf_1","email":"s@demo.example","name":"S","roles":["viewer"]}`, "stf_1", `{"roles":["support","auditor"]}`, "roles", []any{"support", "auditor"}},
			{"/resources", `{"id":"mcp","uri":"https://mcp.example","name":"MCP","scopes":["points:read"]}`, "mcp", `{"open":true}`, "open", true},
			{"/keys", `{"client_id":"service","name":"ci","scopes":["points:read"],"expires_at":"2999-01-01T00:00:00Z"}`, "", `{"expires_at":null}`, "expires_at", nil},
		} {
			t.Run(tc.path, func(t *testing.T) {
				w.t = t
				made := w.ok(201, "admin", "POST", tc.path, tc.create)
				id := made.text(t, "id")
				if tc.id != "" {
					equal(t, "id", id, tc.id)
				}
				equal(t, "resource of the record", w.record(made, "demo").Resource, id)
				w.ok(200, "admin", "GET", tc.path+"/"+id, "")
				changed := w.ok(200, "admin", "PATCH", tc.path+"/"+id, tc.patch)
				equal(t, "the change", changed.object(t)[tc.member], tc.value)
				read := w.ok(200, "admin", "GET", tc.path+"/"+id, "")
				equal(t, "what is kept", read.object(t), changed.object(t))
				w.ok(204, "admin", "DELETE", tc.path+"/"+id, "")
			})
		}
	})
}

func TestWhatIsGeneratedWhereNoIDIsGiven(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for path, tc := range map[string]struct{ body, prefix string }{
		"/clients":   {`{"name":"S","grant_types":["client_credentials"]}`, "cli_"},
		"/customers": {`{"email":"a@demo.example","name":"A"}`, "cus_"},
		"/staff":     {`{"email":"b@demo.example","name":"B","roles":["viewer"]}`, "stf_"},
	} {
		id := w.ok(201, "admin", "POST", path, tc.body).text(t, "id")
		if len(id) != len(tc.prefix)+26 || id[:4] != tc.prefix {
			t.Errorf("%s: id %q", path, id)
		}
	}
}

func TestSecretsAreInTheAnswerThatMakesThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		secret := w.ok(201, "admin", "POST", "/clients", serviceClient).text(t, "client_secret")
		kept, err := store.ClientSecrets(context.Background(), db, "demo", "service")
		if err != nil || len(kept) != 1 {
			t.Fatalf("%d secrets, %v", len(kept), err)
		}
		equal(t, "hash", kept[0].Hash, oauth2.HashSecret(secret))
		for path, tc := range map[string]struct{ body, member string }{
			"/keys":   {`{"client_id":"service","name":"k","scopes":["points:read"]}`, "key"},
			"/tokens": {`{"staff_id":"stf_admin","name":"t","scopes":["admin"]}`, "token"},
		} {
			made := w.ok(201, "admin", "POST", path, tc.body)
			if len(made.text(t, tc.member)) != 69 {
				t.Errorf("%s: %s", path, made.body)
			}
			if _, there := w.ok(200, "admin", "GET", path+"/"+made.text(t, "id"), "").object(t)[tc.member]; there {
				t.Errorf("%s: the secret is shown again", path)
			}
		}
		if _, there := w.ok(200, "admin", "GET", "/clients/service", "").object(t)["client_secret"]; there {
			t.Error("the client's secret is shown again")
		}
		public := w.ok(201, "admin", "POST", "/clients", `{"id":"spa","name":"SPA","public":true,"grant_types":["authorization_code"],"redirect_uris":["https://spa.example/cb"]}`)
		if _, there := public.object(t)["client_secret"]; there {
			t.Error("a public client got a secret")
		}
		equal(t, "rotation of a public client", w.as("admin", "POST", "/clients/spa/secrets", "").status, http.StatusConflict)
	})
}

func TestRotationKeepsTheOldSecretForTheOverlap(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		old := w.ok(201, "admin", "POST", "/clients", serviceClient).text(t, "client_secret")
		began := time.Now()
		made := w.ok(201, "admin", "POST", "/clients/service/secrets", `{"overlap_s":60}`)
		kept, err := store.ClientSecrets(context.Background(), db, "demo", "service")
		if err != nil || len(kept) != 2 {
			t.Fatalf("%d secrets, %v", len(kept), err)
		}
		for _, s := range kept {
			switch string(s.Hash) {
			case string(oauth2.HashSecret(old)):
				if d := s.ExpiresAt.Sub(began); d < 59*time.Second || d > 70*time.Second {
					t.Errorf("the old one ends after %v", d)
				}
			case string(oauth2.HashSecret(made.text(t, "client_secret"))):
				equal(t, "end of the new one", s.ExpiresAt.IsZero(), true)
			default:
				t.Error("a secret that nobody was told")
			}
		}
	})
}

func TestSwitchingOffEndsAllAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		storetest.User(t, db, "demo", "cus_a")
		storetest.User(t, db, "demo", "cus_b")
		storetest.User(t, db, "demo", "stf_s", "viewer")
		w.ok(201, "admin", "POST", "/clients", webClient)
		key := w.ok(201, "admin", "POST", "/keys", `{"client_id":"web","name":"k","scopes":["points:read"]}`).text(t, "id")
		token := w.ok(201, "admin", "POST", "/tokens", `{"staff_id":"stf_s","name":"t","scopes":["points:read"]}`).text(t, "id")
		grantA, sessionA := w.grantOf("demo", "web", "cus_a")
		grantB, sessionB := w.grantOf("demo", "web", "cus_b")
		ended := func(path, member string) bool {
			return w.ok(200, "admin", "GET", path, "").object(t)[member] != nil
		}

		w.ok(204, "admin", "DELETE", "/customers/cus_a", "")
		equal(t, "the person", ended("/customers/cus_a", "disabled_at"), true)
		equal(t, "their grant", ended("/grants/"+grantA, "revoked_at"), true)
		equal(t, "their session", ended("/sessions/"+sessionA, "ended_at"), true)
		equal(t, "another's grant", ended("/grants/"+grantB, "revoked_at"), false)
		equal(t, "another's session", ended("/sessions/"+sessionB, "ended_at"), false)

		w.ok(200, "admin", "PATCH", "/staff/stf_s", `{"disabled":true}`)
		equal(t, "the token", ended("/tokens/"+token, "revoked_at"), true)
		equal(t, "switched on again", w.ok(200, "admin", "PATCH", "/staff/stf_s", `{"disabled":false}`).object(t)["disabled_at"], nil)
		equal(t, "the token stays dead", ended("/tokens/"+token, "revoked_at"), true)

		w.ok(200, "admin", "PATCH", "/clients/web", `{"disabled":true}`)
		equal(t, "the client's key", ended("/keys/"+key, "revoked_at"), true)
		equal(t, "the client's grant", ended("/grants/"+grantB, "revoked_at"), true)
		equal(t, "a session has no client", ended("/sessions/"+sessionB, "ended_at"), false)

		w.ok(204, "admin", "DELETE", "/clients/web", "")
		equal(t, "deleted", w.as("admin", "GET", "/clients/web", "").status, 404)
		equal(t, "who revoked", w.ok(200, "admin", "GET", "/grants/"+grantB, "").text(t, "revoked_by"), "stf_admin")
	})
}

func TestAnotherPasswordEndsTheSessions(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.ok(201, "admin", "POST", "/customers", `{"id":"cus_a","email":"a@demo.example","name":"A","password":"a long password"}`)
	w.ok(201, "admin", "POST", "/clients", webClient)
	_, session := w.grantOf("demo", "web", "cus_a")
	u, err := store.GetUser(context.Background(), w.db, "demo", "cus_a")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "hash", u.PasswordHash, "hash of a long password")
	w.ok(200, "admin", "PATCH", "/customers/cus_a", `{"name":"Alice"}`)
	equal(t, "a new name ends nothing", w.ok(200, "admin", "GET", "/sessions/"+session, "").object(t)["ended_at"], nil)
	w.ok(200, "admin", "PATCH", "/customers/cus_a", `{"password":"another long one"}`)
	if w.ok(200, "admin", "GET", "/sessions/"+session, "").object(t)["ended_at"] == nil {
		t.Error("the session lives on")
	}
	equal(t, "taken away", w.ok(200, "admin", "PATCH", "/customers/cus_a", `{"password":null}`).object(t)["password_set"], false)
}

func TestTheLastSuperAdminStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		equal(t, "the role of the last", w.as("second", "PATCH", "/staff/stf_admin", `{"roles":["viewer"]}`).status, 409)
		equal(t, "the last", w.as("second", "DELETE", "/staff/stf_admin", "").status, 409)
		equal(t, "oneself", w.as("admin", "PATCH", "/staff/stf_admin", `{"disabled":true}`).status, 409)
		storetest.User(t, db, "demo", "stf_second", "super_admin")
		equal(t, "oneself, though not the last", w.as("admin", "DELETE", "/staff/stf_admin", "").status, 409)

		// Each takes the other's role at the same time: one must stay.
		results := make(chan int, 2)
		for caller, victim := range map[string]string{"admin": "stf_second", "second": "stf_admin"} {
			go func() { results <- w.as(caller, "PATCH", "/staff/"+victim, `{"roles":["viewer"]}`).status }()
		}
		equal(t, "sum of the answers", <-results+<-results, 200+409)
		left, err := store.StaffWith(context.Background(), db, "demo", "super_admin")
		if err != nil || len(left) != 1 {
			t.Errorf("%v are left, %v", left, err)
		}
	})
}

func TestWhatIsTakenIsAConflict(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.ok(201, "admin", "POST", "/clients", webClient)
		w.ok(201, "admin", "POST", "/customers", `{"id":"cus_a","email":"a@demo.example","name":"A"}`)
		w.ok(201, "admin", "POST", "/customers", `{"id":"cus_b","email":"b@demo.example","name":"B"}`)
		for name, tc := range map[string]struct{ method, path, body string }{
			"tenant's id":             {"POST", "/tenants", `{"id":"other","name":"O","issuer":"https://o.example"}`},
			"tenant's issuer":         {"POST", "/tenants", `{"id":"third","name":"O","issuer":"http://other.localhost","hostnames":["other.localhost"]}`},
			"tenant's host name":      {"POST", "/tenants", `{"id":"third","name":"O","issuer":"https://o.example","hostnames":["o.example","other.localhost"]}`},
			"the asked tenant's end":  {"DELETE", "/tenants/demo", ``},
			"client's id":             {"POST", "/clients", webClient},
			"customer's id":           {"POST", "/customers", `{"id":"cus_a","email":"c@demo.example","name":"A"}`},
			"a person's id by client": {"POST", "/customers", `{"id":"web","email":"c@demo.example","name":"A"}`},
			"address":                 {"POST", "/customers", `{"email":"A@DEMO.example","name":"A"}`},
			"address of staff":        {"POST", "/staff", `{"email":"a@demo.example","name":"A","roles":["viewer"]}`},
			"address, by a change":    {"PATCH", "/customers/cus_b", `{"email":"a@demo.example"}`},
		} {
			t.Run(name, func(t *testing.T) {
				a := w.as("admin", tc.method, tc.path, tc.body)
				equal(t, "status", a.status, 409)
				equal(t, "code", a.text(t, "code"), "conflict")
			})
		}
		if _, err := store.GetUser(context.Background(), db, "demo", "web"); err == nil {
			t.Error("a refused person is there")
		}
	})
}

func TestATenantHasItsWayIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		made := w.ok(201, "admin", "POST", "/tenants", `{"id":"third","name":"Third","issuer":"http://third.localhost"}`)
		if len(made.text(t, "setup_url")) < len("http://third.localhost/setup?link=")+43 {
			t.Errorf("setup_url %q", made.text(t, "setup_url"))
		}
		equal(t, "host names", made.object(t)["hostnames"], []any{"third.localhost"})
		if _, there := db.TenantFor("third.localhost"); !there {
			t.Error("its host leads nowhere before the next reload")
		}
		equal(t, "origins of a new client", originsAfter(w), store.Words{"https://app.example"})
	})
}

func originsAfter(w *world) store.Words {
	w.ok(201, "admin", "POST", "/clients", webClient)
	t, _ := w.db.TenantFor("demo.localhost")
	return t.Origins
}

func TestKindsDoNotMix(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		storetest.User(t, db, "demo", "cus_a")
		w.ok(201, "admin", "POST", "/clients", serviceClient)
		key := w.ok(201, "admin", "POST", "/keys", `{"client_id":"service","name":"k","scopes":["points:read"]}`).text(t, "id")
		token := w.ok(201, "admin", "POST", "/tokens", `{"staff_id":"stf_admin","name":"t","scopes":["admin"]}`).text(t, "id")
		for _, path := range []string{
			"/customers/stf_admin", "/staff/cus_a", "/keys/" + token, "/tokens/" + key,
			"/customers/%00", "/clients/%ff", "/decisions/%27", "/grants/%2e%2e%2fx",
		} {
			for _, method := range []string{"GET", "DELETE"} {
				if method == "DELETE" && path[:5] == "/deci" {
					continue // there is no such operation
				}
				a := w.as("admin", method, path, "")
				if a.status != 404 || a.text(t, "code") != "not_found" || a.decision == "" {
					t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
				}
			}
		}
		equal(t, "customers", w.ids("admin", "/customers"), []string{"cus_a"})
		equal(t, "staff", w.ids("admin", "/staff"), []string{"stf_admin"})
		equal(t, "keys", w.ids("admin", "/keys"), []string{key})
		equal(t, "tokens", w.ids("admin", "/tokens"), []string{token})
	})
}

func TestWhatIsSwitchedOffGetsNothingNew(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	storetest.User(t, w.db, "demo", "stf_s", "viewer")
	w.ok(201, "admin", "POST", "/clients", serviceClient)
	key := w.ok(201, "admin", "POST", "/keys", `{"client_id":"service","name":"k","scopes":["points:read"]}`).text(t, "id")
	w.ok(200, "admin", "PATCH", "/clients/service", `{"disabled":true}`)
	w.ok(204, "admin", "DELETE", "/staff/stf_s", "")
	w.ok(409, "admin", "POST", "/keys", `{"client_id":"service","name":"k","scopes":["points:read"]}`)
	w.ok(409, "admin", "POST", "/tokens", `{"staff_id":"stf_s","name":"t","scopes":["points:read"]}`)
	w.ok(409, "admin", "PATCH", "/keys/"+key, `{"name":"new"}`)
}

func TestAResourceServerNeedsNoGrantTypes(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	made := w.ok(201, "admin", "POST", "/clients", `{"id":"gateway","name":"Gateway","introspects":["https://demo.example/api"]}`)
	equal(t, "grant types", made.object(t)["grant_types"], []any{})
	if made.text(t, "client_secret") == "" {
		t.Error("it has no secret to introspect with")
	}
}

func TestLongestNames(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	name := strings.Repeat("é", 100)
	made := w.ok(201, "admin", "POST", "/customers", `{"email":"a@demo.example","name":"`+name+`","password":"`+strings.Repeat("é", 12)+`"}`)
	equal(t, "name", made.text(t, "name"), name)
	equal(t, "password", made.object(t)["password_set"], true)
}

func TestSessionsOfOnePerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		storetest.User(t, db, "demo", "cus_a")
		storetest.User(t, db, "demo", "cus_b")
		w.ok(201, "admin", "POST", "/clients", webClient)
		_, a := w.grantOf("demo", "web", "cus_a")
		_, b := w.grantOf("demo", "web", "cus_b")
		equal(t, "user", w.ids("admin", "/sessions?user=cus_a"), []string{a})
		equal(t, "customer", w.ids("admin", "/sessions?customer=cus_b"), []string{b})
		equal(t, "nobody", w.ids("admin", "/sessions?user=cus_nobody"), []string{})
	})
}

// A change to tenants or clients counts at once on this node.
func TestReloading(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.ok(200, "admin", "PATCH", "/tenants/demo", `{"name":"Renamed"}`)
	if tenant, ok := w.db.TenantFor("demo.localhost"); !ok || tenant.Name != "Renamed" {
		t.Errorf("the tenant in memory is %+v", tenant)
	}
}
