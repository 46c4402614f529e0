package gate_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// verdict is a policy that says what the test wants.
type verdict struct {
	allow bool
	code  string
	err   error
	asked []*policies.Request
	duty  map[string]any
}

func (v *verdict) Decide(_ context.Context, r *policies.Request) (*policies.Decision, error) {
	v.asked = append(v.asked, r)
	d := &policies.Decision{Allow: v.allow, Code: v.code, Status: 403, Revision: "rev", Input: json.RawMessage(`{}`), Needed: []string{"points:write"}}
	if v.allow {
		d.Code, d.Status = "ok", 200
	}
	d.Obligations = v.duty
	return d, v.err
}

type env struct {
	*gate.Gate
	db     *store.DB
	policy *verdict
}

func newEnv(t *testing.T, db *store.DB) *env {
	t.Helper()
	storetest.Tenant(t, db, "demo")
	p := &verdict{allow: true}
	return &env{Gate: &gate.Gate{Policy: p, Store: db, Now: time.Now, NewID: uuid.NewString}, db: db, policy: p}
}

func (e *env) request(header ...string) *web.Request {
	t, _ := e.db.TenantFor("demo.localhost")
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &web.Request{
		Event: web.NewEvent("", time.Now()), Tenant: t, Method: "POST", Path: "/api/test", Header: h.Get, Body: []byte(`{}`),
		Caller: &web.Caller{Method: "oauth2", Status: web.Valid, Type: "customer", ID: "cus_a", Tenant: "demo", ClientID: "web", Scopes: []string{"points:read"}},
	}
}

// marks is an operation whose effect is one mark.
func marks(effect func(tx *store.Tx) (*web.Answer, error)) gate.Operation[struct{}] {
	return gate.Operation[struct{}]{
		Action: "points.redeem",
		Facts: func(context.Context, store.Reader, *gate.Call, *struct{}) (policies.Resource, policies.Facts, error) {
			return policies.Resource{Type: "points_account", ID: "cus_a", Owner: "cus_a", Tenant: "demo"}, nil, nil
		},
		Effect: func(ctx context.Context, tx *store.Tx, _ *gate.Call, _ *struct{}) (*web.Answer, error) {
			if err := tx.SetMark(ctx, "effect", "done"); err != nil {
				return nil, err
			}
			return effect(tx)
		},
	}
}

func done(*store.Tx) (*web.Answer, error) { return web.JSON(201, map[string]int{"n": 1}), nil }

func (e *env) effectDone(t *testing.T) bool {
	t.Helper()
	_, err := e.db.Mark(context.Background(), "effect")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func (e *env) record(t *testing.T, r *web.Request) *store.Record {
	t.Helper()
	rec, err := e.db.Decision(context.Background(), "demo", r.Event.DecisionID)
	if err != nil {
		t.Fatalf("the record of %s: %v", r.Event.DecisionID, err)
	}
	return rec
}

// TestEveryEndHasItsRecord: however a request ends, its answer has a record
// with the same status and code, and the effect happened only where it may.
func TestEveryEndHasItsRecord(t *testing.T) {
	boom := errors.New("a secret text of the database")
	for name, tc := range map[string]struct {
		prepare func(e *env, op *gate.Operation[struct{}])
		status  int
		code    string
		allow   bool
		effect  bool
	}{
		"allowed": {func(*env, *gate.Operation[struct{}]) {}, 201, "ok", true, true},
		"denied": {func(e *env, _ *gate.Operation[struct{}]) { e.policy.allow, e.policy.code = false, "not_owner" },
			403, "not_owner", false, false},
		"a code of the policy's own": {func(e *env, _ *gate.Operation[struct{}]) { e.policy.allow, e.policy.code = false, "house_rule" },
			403, "house_rule", false, false},
		"no answer of the policy": {func(e *env, _ *gate.Operation[struct{}]) { e.policy.err = boom; e.policy.allow = false },
			503, "policy_unavailable", false, false},
		"no facts": {func(_ *env, op *gate.Operation[struct{}]) {
			op.Facts = func(context.Context, store.Reader, *gate.Call, *struct{}) (policies.Resource, policies.Facts, error) {
				return policies.Resource{}, nil, boom
			}
		}, 503, "store_unavailable", false, false},
		"bad input of one who may": {func(_ *env, op *gate.Operation[struct{}]) {
			op.Parse = func(*web.Request, *struct{}) *web.Problem { return web.BadRequest("bad") }
		}, 400, "invalid_request", true, false},
		"bad input of one who may not": {func(e *env, op *gate.Operation[struct{}]) {
			e.policy.allow, e.policy.code = false, "missing_scope"
			op.Parse = func(*web.Request, *struct{}) *web.Problem { return web.BadRequest("bad") }
		}, 403, "missing_scope", false, false},
		"refused by the store": {func(_ *env, op *gate.Operation[struct{}]) {
			*op = marks(func(*store.Tx) (*web.Answer, error) { return nil, &store.Conflict{Code: "insufficient_points"} })
		}, 409, "insufficient_points", true, false},
		"not there": {func(_ *env, op *gate.Operation[struct{}]) {
			*op = marks(func(*store.Tx) (*web.Answer, error) { return nil, store.ErrNotFound })
		}, 404, "not_found", true, false},
		"a fault in the effect": {func(_ *env, op *gate.Operation[struct{}]) {
			*op = marks(func(*store.Tx) (*web.Answer, error) { return nil, boom })
		}, 503, "store_unavailable", true, false},
		"an answer that can't be made": {func(_ *env, op *gate.Operation[struct{}]) {
			*op = marks(func(*store.Tx) (*web.Answer, error) {
				return web.JSON(201, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), nil
			})
		}, 503, "store_unavailable", true, false},
		"a panic in the effect": {func(_ *env, op *gate.Operation[struct{}]) {
			*op = marks(func(*store.Tx) (*web.Answer, error) { panic(boom) })
		}, 503, "store_unavailable", true, false},
		"facts that never hold still": {func(_ *env, op *gate.Operation[struct{}]) {
			*op = marks(func(*store.Tx) (*web.Answer, error) { return nil, gate.ErrStale })
		}, 409, "conflict", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, storetest.SQLite(t))
			op := marks(done)
			tc.prepare(e, &op)
			r := e.request()
			a := gate.Do(context.Background(), e.Gate, op, r)
			rec := e.record(t, r)
			if a.Status != tc.status || a.Code != tc.code {
				t.Errorf("answer %d %s %s, want %d %s", a.Status, a.Code, a.Body, tc.status, tc.code)
			}
			if rec.Status != tc.status || rec.Code != tc.code || rec.Allow != tc.allow || rec.Action != "points.redeem" {
				t.Errorf("record %d %s allow %v of %s, want %d %s %v", rec.Status, rec.Code, rec.Allow, rec.Action, tc.status, tc.code, tc.allow)
			}
			if got := e.effectDone(t); got != tc.effect {
				t.Errorf("effect happened: %v, want %v", got, tc.effect)
			}
			if strings.Contains(string(a.Body), "secret") {
				t.Errorf("the cause got out: %s", a.Body)
			}
			if len(e.policy.asked) == 0 && tc.code != "store_unavailable" {
				t.Error("the policy was not asked")
			}
		})
	}
}

// TestNoRecordNoAnswer: when the log can't be written, reads, denials and
// effects alike are 503, and nothing happened.
func TestNoRecordNoAnswer(t *testing.T) {
	for name, allow := range map[string]bool{"effect": true, "denial": false} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, storetest.SQLite(t))
			e.policy.allow, e.policy.code = allow, "not_owner"
			read := marks(done)
			read.Effect = nil
			read.Read = func(context.Context, store.Reader, *gate.Call, *struct{}) (*web.Answer, error) {
				return web.JSON(200, "a secret"), nil
			}
			e.policy.allow = true
			if a := gate.Do(context.Background(), e.Gate, read, e.request()); a.Status != 200 {
				t.Fatalf("the first: %d %s", a.Status, a.Body)
			}
			storetest.Write(t, e.db, func(tx *store.Tx) error { // the second record's place is taken
				_, err := tx.Exec(context.Background(), `INSERT INTO batches SELECT first + 1, count, entries, keys, bodies FROM batches`)
				return err
			})
			if a := gate.Do(context.Background(), e.Gate, read, e.request()); a.Status != 503 || a.Code != "audit_unavailable" || strings.Contains(string(a.Body), "secret") {
				t.Errorf("a read without its record: %d %s", a.Status, a.Body)
			}
			e.policy.allow = allow
			a := gate.Do(context.Background(), e.Gate, marks(done), e.request())
			if a.Status != 503 || a.Code != "audit_unavailable" || e.effectDone(t) {
				t.Errorf("%d %s, effect %v; want 503 audit_unavailable and none", a.Status, a.Body, e.effectDone(t))
			}
		})
	}
}

// TestStaleFactsAreDecidedAnew: the second decision has an id of its own, and
// only it is recorded.
func TestStaleFactsAreDecidedAnew(t *testing.T) {
	e := newEnv(t, storetest.SQLite(t))
	tries := 0
	op := marks(func(tx *store.Tx) (*web.Answer, error) {
		if tries++; tries == 1 {
			return nil, gate.ErrStale
		}
		return done(tx)
	})
	r := e.request()
	a := gate.Do(context.Background(), e.Gate, op, r)
	if a.Status != 201 || len(e.policy.asked) != 2 {
		t.Errorf("%d after %d decisions, want 201 after 2", a.Status, len(e.policy.asked))
	}
	e.record(t, r)
	if n, _ := e.db.LogSize(context.Background()); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
}

func TestIdempotency(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e := newEnv(t, db)
		n := 0
		op := marks(func(*store.Tx) (*web.Answer, error) { n++; return web.JSON(201, map[string]int{"n": n}), nil })
		op.Idempotent = true
		do := func(key, body string, change func(*web.Request)) (*web.Answer, *web.Request) {
			r := e.request("Idempotency-Key", key)
			r.Body = []byte(body)
			if change != nil {
				change(r)
			}
			return gate.Do(context.Background(), e.Gate, op, r), r
		}
		first, _ := do("key-00001", `{"a":1}`, nil)
		again, r := do(`"key-00001"`, `{"a":1}`, nil)
		if string(again.Body) != string(first.Body) || again.Status != 201 || again.Header["Idempotency-Replayed"] != "true" || n != 1 {
			t.Errorf("a repeat: %d %s %v after %d effects", again.Status, again.Body, again.Header, n)
		}
		e.record(t, r)
		if a, _ := do("key-00001", `{"a":2}`, nil); a.Status != 422 || a.Code != "idempotency_mismatch" {
			t.Errorf("another body: %d %s", a.Status, a.Code)
		}
		for name, change := range map[string]func(*web.Request){
			"client":  func(r *web.Request) { r.Caller.ClientID = "spa" },
			"subject": func(r *web.Request) { r.Caller.ID = "cus_b" },
			"route":   func(r *web.Request) { r.Path = "/api/other" },
		} {
			before := n
			if a, _ := do("key-00001", `{"a":1}`, change); a.Status != 201 || n != before+1 {
				t.Errorf("the same key of another %s: %d, %d effects", name, a.Status, n-before)
			}
		}
		for name, key := range map[string]string{"missing": "", "short": "1234567", "long": strings.Repeat("k", 129), "space": "key 00001", "one quote": `"key-0001`} {
			if a, _ := do(key, `{}`, nil); a.Status != 400 || a.Code != "invalid_request" {
				t.Errorf("%s key: %d %s", name, a.Status, a.Code)
			}
		}
		e.policy.allow, e.policy.code = false, "not_owner"
		if a, _ := do("key-00001", `{"a":1}`, nil); a.Status != 403 {
			t.Errorf("a repeat passes the gate again: %d", a.Status)
		}
	})
}

func TestRefusalsOfTheStoreAreReplayed(t *testing.T) {
	e := newEnv(t, storetest.SQLite(t))
	op := marks(func(*store.Tx) (*web.Answer, error) { return nil, &store.Conflict{Code: "insufficient_points"} })
	op.Idempotent = true
	for i := range 2 {
		r := e.request("Idempotency-Key", "key-00001")
		a := gate.Do(context.Background(), e.Gate, op, r)
		if a.Status != 409 || (a.Header["Idempotency-Replayed"] == "true") != (i == 1) {
			t.Errorf("try %d: %d %v", i, a.Status, a.Header)
		}
	}
	if e.effectDone(t) {
		t.Error("the refused effect was kept")
	}
}

func TestSystemActsPassTheGate(t *testing.T) {
	e := newEnv(t, storetest.SQLite(t))
	tenant, _ := e.db.TenantFor("demo.localhost")
	act := gate.Act{Tenant: tenant, Action: "points.expire", Effect: func(ctx context.Context, tx *store.Tx, _ *gate.Call) error {
		return tx.SetMark(ctx, "effect", "done")
	}}
	if err := e.System(context.Background(), act); err != nil || !e.effectDone(t) {
		t.Errorf("allowed: %v, effect %v", err, e.effectDone(t))
	}
	if q := e.policy.asked[0]; q.Subject.Type != "system" || q.Action != "points.expire" {
		t.Errorf("asked %+v", q)
	}
	e.policy.allow, e.policy.code = false, "denied"
	if err := e.System(context.Background(), act); err == nil {
		t.Error("a denied act must fail")
	}
	if n, _ := e.db.LogSize(context.Background()); n != 2 {
		t.Errorf("%d records, want 2", n)
	}
}

func TestChallenges(t *testing.T) {
	for code, want := range map[string][]string{
		"missing_credentials": {`resource_metadata="http://demo.localhost/.well-known/oauth-protected-resource/api"`, `, scope="points:write"`},
		"expired_credentials": {`error="invalid_token"`},
		"missing_scope":       {`error="insufficient_scope", scope="points:write"`},
		"not_owner":           nil,
	} {
		e := newEnv(t, storetest.SQLite(t))
		e.policy.allow, e.policy.code = false, code
		a := gate.Do(context.Background(), e.Gate, marks(done), e.request())
		got := a.Header["WWW-Authenticate"]
		if (want == nil) != (got == "") {
			t.Errorf("%s: %q", code, got)
		}
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q lacks %q", code, got, w)
			}
		}
		if code == "missing_credentials" && strings.Contains(got, "error=") {
			t.Errorf("%s: an error is named where nothing was sent: %q", code, got)
		}
		if a.Header["X-OAuth-Scopes"] != "points:read" || a.Header["X-Accepted-OAuth-Scopes"] != "points:write" {
			t.Errorf("%s: scope headers %v", code, a.Header)
		}
	}
}

// TestChallengesOfDPoP: RFC 9449 §7.1.
func TestChallengesOfDPoP(t *testing.T) {
	const algs = `algs="ES256 RS256 PS256 EdDSA"`
	for name, c := range map[string]struct {
		code   string
		change func(k *web.Caller)
		want   string // after realm and resource_metadata
	}{
		"nothing was sent":          {"missing_credentials", func(*web.Caller) {}, `, scope="points:write", DPoP ` + algs},
		"a bearer token is no good": {"invalid_credentials", func(*web.Caller) {}, `, error="invalid_token", error_description="The credentials are not valid", DPoP ` + algs},
		"a bound token as bearer": {"invalid_credentials", func(k *web.Caller) { k.Fault, k.FaultDetail = "invalid_token", "It is bound." },
			`, error="invalid_token", error_description="It is bound.", DPoP ` + algs},
		"a bad proof": {"invalid_credentials", func(k *web.Caller) { k.DPoP, k.Fault, k.FaultDetail = true, "invalid_dpop_proof", "Too old." },
			`, error="invalid_dpop_proof", error_description="Too old.", ` + algs},
		"a revoked token":    {"revoked_credentials", func(k *web.Caller) { k.DPoP = true }, `, error="invalid_token", error_description="The credentials have been revoked", ` + algs},
		"a scope too few":    {"missing_scope", func(k *web.Caller) { k.DPoP = true }, `, error="insufficient_scope", scope="points:write", ` + algs},
		"a bearer's too few": {"missing_scope", func(*web.Caller) {}, `, error="insufficient_scope", scope="points:write"`},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, storetest.SQLite(t))
			e.policy.allow, e.policy.code = false, c.code
			r := e.request()
			c.change(r.Caller)
			scheme := "Bearer"
			if r.Caller.DPoP {
				scheme = "DPoP"
			}
			want := scheme + ` realm="http://demo.localhost", resource_metadata="http://demo.localhost/.well-known/oauth-protected-resource/api"` + c.want
			if got := gate.Do(context.Background(), e.Gate, marks(done), r).Header["WWW-Authenticate"]; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
