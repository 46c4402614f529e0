package admin_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/admin"
	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// world is the admin API over a real store and the real policy, with the two
// tenants "demo", which is the home, and "other".
type world struct {
	t   *testing.T
	db  *store.DB
	app *fiber.App

	admin *admin.Admin
}

// callers are who asks, by the name that a test gives in its header.
var callers = map[string]web.Caller{
	"admin":   staff("demo", "stf_admin", []string{"super_admin"}, "admin", "audit:read"),
	"second":  staff("demo", "stf_second", []string{"super_admin"}, "admin", "audit:read"),
	"manager": staff("demo", "stf_manager", []string{"manager"}, "admin", "audit:read"),
	"auditor": staff("demo", "stf_auditor", []string{"auditor"}, "audit:read"),
	"thin":    staff("demo", "stf_admin", []string{"super_admin"}, "points:read"),
	"other":   staff("other", "stf_other", []string{"super_admin"}, "admin", "audit:read"),
	"nobody":  web.Anonymous("none", web.Missing),
	"revoked": {Method: "api_token", Status: web.Revoked, Type: "staff", ID: "stf_admin", Tenant: "demo"},
}

func staff(tenant, id string, roles []string, scopes ...string) web.Caller {
	return web.Caller{Method: "api_token", Status: web.Valid, Type: "staff", ID: id, Tenant: tenant, Roles: roles, Scopes: scopes, IssuedAt: time.Now()}
}

// defaultPolicy is compiled once for all tests: under the race detector that takes
// longer than most of them.
var defaultPolicy = sync.OnceValues(func() (*policies.Engine, error) {
	engine, err := policies.Open(policies.Embedded())
	if err == nil {
		engine.Timeout = 10 * time.Second // the race detector is slow
	}
	return engine, err
})

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	engine, err := defaultPolicy()
	if err != nil {
		t.Fatal(err)
	}
	storetest.Write(t, db, func(tx *store.Tx) error {
		return tx.InsertTenant(context.Background(), &store.Tenant{
			ID: "demo", Name: "Demo", Issuer: "http://demo.localhost", Hostnames: store.Words{"demo.localhost"}, Home: true, CreatedAt: tx.Now(),
		})
	})
	storetest.Tenant(t, db, "other")
	storetest.User(t, db, "demo", "stf_admin", "super_admin")
	storetest.User(t, db, "other", "stf_other", "super_admin")
	a := &admin.Admin{
		Gate:  &gate.Gate{Policy: engine, Store: db, Now: time.Now, NewID: uuid.NewString},
		Store: db, Cursors: web.Cursors{Key: []byte("0123456789abcdef0123456789abcdef")},
		Roles: engine.Roles, ScopesOf: engine.ScopesOf, Pseudonym: func(value string) string { return fmt.Sprintf("pn_%x", sha256.Sum256([]byte(value))) },
		Hash:   func(_ context.Context, password string) (string, error) { return "hash of " + password, nil },
		Eraser: &audit.Eraser{Store: db}, Signing: signingKeys(t, db),
	}
	w := &world{t: t, db: db, app: fiber.New(fiber.Config{StrictRouting: true, CaseSensitive: true}), admin: a}
	w.app.Use(func(c *fiber.Ctx) error {
		host := strings.Split(c.Get("Host"), ":")[0]
		tenant, ok := db.TenantFor(host)
		if !ok {
			return c.SendStatus(http.StatusMisdirectedRequest)
		}
		caller := callers[strings.Clone(c.Get("Test-Caller"))]
		web.SetEvent(c, web.NewEvent("", time.Now()))
		web.SetTenant(c, tenant)
		web.SetCaller(c, &caller)
		return c.Next()
	})
	mount(w.app.Group("/admin/api"), a)
	return w
}

// mount wires the routes as package server does.
func mount(g fiber.Router, a *admin.Admin) {
	g.Get("/decisions/export", a.Export())
	g.Get("/decisions/counts", a.Counts())
	for path, h := range map[string]admin.Handlers{
		"/tenants": a.Tenants(), "/resources": a.Resources(), "/registration-tokens": a.RegistrationTokens(), "/clients": a.Clients(), "/customers": a.Customers(), "/staff": a.Staff(),
		"/keys": a.Keys(), "/tokens": a.Tokens(), "/grants": a.Grants(), "/sessions": a.Sessions(), "/decisions": a.Decisions(), "/erasures": a.Erasures(),
		"/alerts": a.Alerts(), "/signing-keys": a.SigningKeys(),
	} {
		for _, r := range []struct {
			method, path string
			handler      fiber.Handler
		}{
			{"GET", path, h.List}, {"POST", path, h.Create}, {"GET", path + "/:id", h.Read},
			{"PATCH", path + "/:id", h.Update}, {"DELETE", path + "/:id", h.Delete},
		} {
			if r.handler != nil {
				g.Add(r.method, r.path, r.handler)
			}
		}
	}
	g.Post("/clients/:id/secrets", a.ClientSecrets())
	g.Post("/revocations", a.Revocations())
}

// answer is what came back.
type answer struct {
	status   int
	body     string
	decision string
}

func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(a.body), &o); err != nil {
		t.Fatalf("%d %q is no object: %v", a.status, a.body, err)
	}
	return o
}

func (a answer) text(t *testing.T, name string) string {
	t.Helper()
	s, _ := a.object(t)[name].(string)
	return s
}

// fields are the names of the members that a 422 complains of.
func (a answer) fields(t *testing.T) []string {
	t.Helper()
	var out []string
	errs, _ := a.object(t)["errors"].([]any)
	for _, e := range errs {
		out = append(out, e.(map[string]any)["field"].(string))
	}
	return out
}

// as asks the tenant of the caller.
func (w *world) as(caller, method, path, body string) answer {
	w.t.Helper()
	host := "demo"
	if caller == "other" {
		host = "other"
	}
	return w.at(host, caller, method, path, body)
}

func (w *world) at(tenant, caller, method, path, body string) answer {
	w.t.Helper()
	r := httptest.NewRequest(method, "/admin/api"+path, strings.NewReader(body))
	r.Host = tenant + ".localhost"
	r.Header.Set("Test-Caller", caller)
	res, err := w.app.Test(r, -1)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{status: res.StatusCode, body: string(raw), decision: res.Header.Get("X-Decision-Id")}
}

// ok is as, and fails the test unless the answer has this status.
func (w *world) ok(status int, caller, method, path, body string) answer {
	w.t.Helper()
	a := w.as(caller, method, path, body)
	if a.status != status {
		w.t.Fatalf("%s %s %s: %d %s, want %d", caller, method, path, a.status, a.body, status)
	}
	return a
}

// ids of the objects in a list.
func (w *world) ids(caller, path string) []string {
	w.t.Helper()
	var l struct{ Data []struct{ ID string } }
	if err := json.Unmarshal([]byte(w.ok(200, caller, "GET", path, "").body), &l); err != nil {
		w.t.Fatal(err)
	}
	out := []string{}
	for _, o := range l.Data {
		out = append(out, o.ID)
	}
	return out
}

func (w *world) record(a answer, tenant string) *store.Record {
	w.t.Helper()
	r, err := w.db.Decision(context.Background(), tenant, a.decision)
	if err != nil {
		w.t.Fatalf("the record of decision %q: %v", a.decision, err)
	}
	return r
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

const webClient = `{"id":"web","name":"Web","grant_types":["authorization_code","refresh_token"],"redirect_uris":["https://app.example/cb"],"scopes":["points:read","points:write"],"origins":["https://app.example"]}`
const serviceClient = `{"id":"service","name":"Service","grant_types":["client_credentials"],"trusted":true,"scopes":["points:read"]}`

// grantOf puts an authorization and a session there, as the login pages would.
func (w *world) grantOf(tenant, client, person string) (grant, session string) {
	w.t.Helper()
	ctx := context.Background()
	grant, session = "grant-"+tenant+"-"+person, "ses_"+tenant+"_"+person
	storetest.Write(w.t, w.db, func(tx *store.Tx) error {
		now := tx.Now()
		if err := tx.InsertGrant(ctx, &store.Grant{
			ID: grant, Tenant: tenant, ClientID: client, SubjectType: "customer", Subject: person, Scopes: store.Words{"points:read"},
			CreatedAt: now, ExpiresAt: store.At(now.Add(time.Hour)),
		}); err != nil {
			return err
		}
		return tx.InsertSession(ctx, &store.Session{
			Hash: []byte(session), ID: session, Tenant: tenant, UserID: person, CreatedAt: now, LastSeenAt: now, ExpiresAt: store.At(now.Add(time.Hour)),
		})
	})
	return grant, session
}
