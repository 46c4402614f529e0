package points_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/points"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// world is the points room behind the real gate, policy and store. In place of
// the pipeline one step says who is calling. Tenant demo has cus_alice and
// cus_bob, tenant other has cus_olga.
type world struct {
	*points.Points
	t       testing.TB
	db      *store.DB
	tenant  *store.Tenant
	handler fasthttp.RequestHandler
	mu      sync.Mutex
	clock   time.Time
	keys    atomic.Int64
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	engine, err := policies.Open(policies.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	engine.Timeout = time.Minute // 200 at once on a small machine, with the race detector
	storetest.EachOptions(t, func(t *testing.T, o store.Options) { test(t, newWorld(t, o, engine)) })
}

func newWorld(t testing.TB, o store.Options, policy gate.Policy) *world {
	t.Helper()
	w := &world{t: t, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	o.Now = w.now
	db := storetest.Open(t, o)
	w.db = db
	w.tenant = storetest.Tenant(t, db, "demo")
	storetest.Tenant(t, db, "other")
	storetest.User(t, db, "demo", "cus_alice")
	storetest.User(t, db, "demo", "cus_bob")
	storetest.User(t, db, "other", "cus_olga")
	var ids atomic.Int64
	w.Points = &points.Points{
		Store: db, Cursors: web.Cursors{Key: []byte("0123456789abcdef0123456789abcdef")},
		Gate: &gate.Gate{
			Policy: policy, Store: db, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: w.now,
			NewID: func() string { return fmt.Sprintf("dec_%d", ids.Add(1)) },
		},
		NewID: func(prefix string) string { return fmt.Sprintf("%s%06d", prefix, ids.Add(1)) },
	}
	w.handler = w.routes().Handler()
	return w
}

func (w *world) routes() *fiber.App {
	app := fiber.New()
	app.Use(func(c *fiber.Ctx) error {
		web.SetEvent(c, web.NewEvent("", w.now()))
		web.SetTenant(c, w.tenant)
		caller := callers[c.Get("X-Caller")]
		web.SetCaller(c, &caller)
		return c.Next()
	})
	app.Get("/api/points", w.Balance())
	app.Get("/api/points/transactions", w.History())
	app.Post("/api/points/earn", w.Earn())
	app.Post("/api/points/redeem", w.Redeem())
	app.Post("/api/points/adjust", w.Adjust())
	app.Post("/api/points/transfer", w.Transfer())
	app.Post("/api/points/holds", w.Hold())
	app.Post("/api/points/holds/:id/capture", w.Capture())
	app.Post("/api/points/holds/:id/release", w.Release())
	app.Post("/api/points/transactions/:id/reverse", w.Reverse())
	return app
}

var allScopes = []string{"points:read", "points:write", "points:transfer", "points:adjust"}

func valid(kind, id, tenant string, roles ...string) web.Caller {
	return web.Caller{Method: "oauth2", Status: web.Valid, Type: kind, ID: id, Tenant: tenant, Roles: roles, Scopes: allScopes, ClientID: "demo-web"}
}

var callers = map[string]web.Caller{
	"":        web.Anonymous("none", web.Missing),
	"alice":   valid("customer", "cus_alice", "demo"),
	"bob":     valid("customer", "cus_bob", "demo"),
	"olga":    valid("customer", "cus_olga", "other"),
	"manager": valid("staff", "stf_manager", "demo", "manager"),
	"viewer":  valid("staff", "stf_viewer", "demo", "viewer"),
	"admin":   valid("staff", "stf_admin", "demo", "super_admin"),
	"service": {Method: "oauth2", Status: web.Valid, Type: "client", ID: "demo-service", ClientID: "demo-service", Tenant: "demo", Scopes: allScopes, Trusted: true},
}

// reply is an answer as the caller gets it.
type reply struct {
	status   int
	replayed bool
	raw      string
	body     map[string]any
}

// code is the problem's, "" of a success.
func (r *reply) code() string { s, _ := r.body["code"].(string); return s }

// at walks into the body: at("balance", "available").
func (r *reply) at(path ...any) any {
	var v any = r.body
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			list, _ := v.([]any)
			if p >= len(list) {
				return nil
			}
			v = list[p]
		}
	}
	return v
}

func (r *reply) text(path ...any) string { s, _ := r.at(path...).(string); return s }

// call sends one request; a POST gets an Idempotency-Key of its own unless the
// headers have one ("-" for none).
func (w *world) call(caller, method, uri, body string, headers ...string) *reply {
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.SetRequestURI(uri)
	req.Header.Set("X-Caller", caller)
	if method == "POST" {
		req.Header.Set("Idempotency-Key", fmt.Sprintf("key-%08d", w.keys.Add(1)))
	}
	if body != "" {
		req.Header.SetContentType("application/json")
		req.SetBodyString(body)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "-" {
			req.Header.Del(headers[i])
		}
	}
	var c fasthttp.RequestCtx
	c.Init(&req, nil, nil)
	w.handler(&c)
	r := &reply{
		status: c.Response.StatusCode(), raw: string(c.Response.Body()),
		replayed: len(c.Response.Header.Peek("Idempotency-Replayed")) > 0,
	}
	_ = json.Unmarshal(c.Response.Body(), &r.body)
	return r
}

func (w *world) get(caller, uri string) *reply { return w.call(caller, "GET", uri, "") }

// post sends a request that must succeed.
func (w *world) post(caller, uri, body string, args ...any) *reply {
	w.t.Helper()
	r := w.call(caller, "POST", uri, fmt.Sprintf(body, args...))
	if r.status >= 300 {
		w.t.Fatalf("%s %s: %d %s", caller, uri, r.status, r.raw)
	}
	return r
}

func (w *world) earn(customer string, n int) *reply {
	w.t.Helper()
	return w.post("service", "/api/points/earn", `{"customer_id":%q,"points":%d,"reason":"bought"}`, customer, n)
}

// lines is how many ledger lines there are in all.
func (w *world) lines() (n int) {
	w.t.Helper()
	if err := w.db.Get(context.Background(), &n, `SELECT COUNT(*) FROM ledger`); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// balanced fails the test where the books of demo disagree.
func (w *world) balanced() {
	w.t.Helper()
	if err := storetest.Balanced(context.Background(), w.db, "demo"); err != nil {
		w.t.Error(err)
	}
}

// wants compares a few members of an answer.
func (r *reply) wants(t testing.TB, status int, members map[string]any) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %s", r.status, status, r.raw)
		return
	}
	for path, want := range members {
		if got := r.at(split(path)...); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v in %s", path, got, want, r.raw)
		}
	}
}

// split makes "data.0.points" a path.
func split(path string) (out []any) {
	for word := range strings.SplitSeq(path, ".") {
		if n, err := strconv.Atoi(word); err == nil {
			out = append(out, n)
		} else {
			out = append(out, word)
		}
	}
	return out
}
