package admin_test

import (
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestNobodyReachesAnotherTenant asks for each kind of object of "demo" at
// "other", as other's administrator: it is as if it were not there.
func TestNobodyReachesAnotherTenant(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		storetest.User(t, db, "demo", "cus_a")
		storetest.User(t, db, "demo", "stf_s", "viewer")
		w.ok(201, "admin", "POST", "/clients", webClient)
		key := w.ok(201, "admin", "POST", "/keys", `{"client_id":"web","name":"k","scopes":["points:read"]}`).text(t, "id")
		token := w.ok(201, "admin", "POST", "/tokens", `{"staff_id":"stf_s","name":"t","scopes":["points:read"]}`).text(t, "id")
		grant, session := w.grantOf("demo", "web", "cus_a")
		decision := w.ok(200, "admin", "GET", "/clients", "").decision

		for _, path := range []string{
			"/tenants/demo", "/clients/web", "/customers/cus_a", "/staff/stf_s", "/staff/stf_admin", "/keys/" + key, "/tokens/" + token,
			"/grants/" + grant, "/sessions/" + session, "/decisions/" + decision,
		} {
			before := w.ok(200, "admin", "GET", path, "").body
			for _, r := range [][2]string{{"GET", ""}, {"PATCH", `{"name":"taken"}`}, {"DELETE", ""}} {
				a := w.as("other", r[0], path, r[1])
				if a.status == 405 || (a.status == 404 && a.decision == "") {
					continue // there is no such operation
				}
				missing := w.as("other", r[0], path[:len(path)-1]+"-0", r[1])
				if a.status != missing.status || (a.status != 404 && a.text(t, "code") != "not_owner") {
					t.Errorf("%s %s: %d, a missing one %d", r[0], path, a.status, missing.status)
				}
			}
			equal(t, path+" afterwards", w.ok(200, "admin", "GET", path, "").body, before)
		}
		equal(t, "a new secret", w.as("other", "POST", "/clients/web/secrets", "").status, 404)
		equal(t, "a key for its client", w.as("other", "POST", "/keys", `{"client_id":"web","name":"k","scopes":["points:read"]}`).status, 422)
		equal(t, "a token for its staff", w.as("other", "POST", "/tokens", `{"staff_id":"stf_s","name":"t","scopes":["points:read"]}`).status, 422)
		equal(t, "a revocation by its client", w.as("other", "POST", "/revocations", `{"client":"web"}`).status, 404)
		equal(t, "a revocation by its customer", w.as("other", "POST", "/revocations", `{"customer":"cus_a"}`).status, 404)
		w.ok(201, "other", "POST", "/revocations", `{"tenant":"other"}`)
		w.ok(201, "other", "POST", "/revocations", `{"issued_before":"2999-01-01T00:00:00Z"}`)
		equal(t, "its grant after revocations elsewhere", w.ok(200, "admin", "GET", "/grants/"+grant, "").object(t)["revoked_at"], nil)
		equal(t, "its session", w.ok(200, "admin", "GET", "/sessions/"+session, "").object(t)["ended_at"], nil)
		equal(t, "its key", w.ok(200, "admin", "GET", "/keys/"+key, "").object(t)["revoked_at"], nil)

		for path, want := range map[string][]string{
			"/tenants": {"other"}, "/clients": {}, "/customers": {}, "/staff": {"stf_other"}, "/keys": {}, "/tokens": {}, "/grants": {}, "/sessions": {},
			"/keys?client=web": {}, "/grants?customer=cus_a": {}, "/sessions?customer=cus_a": {},
		} {
			equal(t, "list of "+path, w.ids("other", path), want)
		}
		for _, r := range [][3]string{{"GET", "/clients/web", ""}, {"GET", "/decisions", ""}, {"POST", "/clients", webClient}, {"DELETE", "/customers/cus_a", ""}} {
			a := w.at("demo", "other", r[0], r[1], r[2])
			equal(t, "other's token at demo: "+r[0]+" "+r[1], a.text(t, "code"), "wrong_tenant")
		}
	})
}

// TestTenants: each has itself; the home's administrators make new ones.
func TestTenants(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	equal(t, "the home's list", w.ids("admin", "/tenants"), []string{"demo"})
	equal(t, "another makes one", w.as("other", "POST", "/tenants", `{"id":"third","name":"T","issuer":"https://t.example"}`).status, 403)
	w.ok(201, "admin", "POST", "/tenants", `{"id":"third","name":"T","issuer":"https://t.example"}`)
	if _, there := w.db.TenantFor("t.example"); !there {
		t.Error("the new tenant can't be reached")
	}
	equal(t, "its maker reads it", w.as("admin", "GET", "/tenants/third", "").text(t, "code"), "not_owner")
	equal(t, "and one that is not there", w.as("admin", "GET", "/tenants/fourth", "").text(t, "code"), "not_owner")
	w.ok(200, "other", "PATCH", "/tenants/other", `{"name":"Others"}`)
	for _, body := range []string{`{"issuer":"https://demo.example"}`, `{"hostnames":["x.example"]}`, `{"disabled":true}`} {
		equal(t, "a tenant changes "+body, w.as("other", "PATCH", "/tenants/other", body).status, 422)
	}
	equal(t, "the home ends itself", w.as("admin", "DELETE", "/tenants/demo", "").status, 409)
	w.ok(204, "other", "DELETE", "/tenants/other", "")
	if _, there := w.db.TenantFor("other.localhost"); there {
		t.Error("the host of an ended tenant leads somewhere")
	}
}
