package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/transparency-dev/formats/proof"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/admin"
	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
	"github.com/pointgate/pointgate/store/trail"
)

// withTrail adds the routes of the audit trail to a world.
func withTrail(w *world) *world {
	w.t.Helper()
	engine, err := policies.Open(policies.Embedded())
	if err != nil {
		w.t.Fatal(err)
	}
	engine.Timeout = 10 * time.Second // the race detector is slow
	events := &gate.Events{Store: w.db, Now: time.Now, NewID: uuid.NewString}
	p, err := audit.Open(context.Background(), audit.Config{
		Store: w.db, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Record: events.Record, Tenant: "demo",
		Issuer: "http://demo.localhost", SealKey: bytes.Repeat([]byte{1}, 32), Holder: "test", File: filepath.Join(w.t.TempDir(), "checkpoint"),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	a := &admin.Admin{Gate: &gate.Gate{Policy: engine, Store: w.db, Now: time.Now, NewID: uuid.NewString}, Store: w.db, Trail: p}
	g := w.app.Group("/admin/api")
	g.Get("/decisions/:id/proof", a.DecisionProof())
	g.Get("/audit/keys", a.LogKeys())
	g.Post("/audit/keys", a.RotateLogKey())
	g.Get("/audit/checkpoint", a.KeptCheckpoint())
	return w
}

// vkeys are those that the API lists.
func (w *world) vkeys() (vkeys []string) {
	w.t.Helper()
	var l struct{ Data []struct{ Verifier string } }
	if err := json.Unmarshal([]byte(w.ok(200, "auditor", "GET", "/audit/keys", "").body), &l); err != nil {
		w.t.Fatal(err)
	}
	for _, k := range l.Data {
		vkeys = append(vkeys, k.Verifier)
	}
	return vkeys
}

func TestAProofIsOfOneRecordOfTheTenant(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := withTrail(newWorld(t, db))
		asked := w.ok(403, "manager", "DELETE", "/staff/stf_admin", "")
		a := w.ok(200, "auditor", "GET", "/decisions/"+asked.decision+"/proof", "")
		var p proof.TLogProof
		if err := p.Unmarshal([]byte(a.body)); err != nil {
			t.Fatal(err)
		}
		r := w.record(asked, "demo")
		if c, err := trail.Open(p.Checkpoint, w.vkeys()...); err != nil || c.Size <= r.Index || int64(p.Index) != r.Index || !bytes.Equal(p.ExtraData, r.Event()) {
			t.Errorf("index %d of %+v: %v", p.Index, c, err)
		}
		equal(t, "its own record", []string{w.record(a, "demo").Action, w.record(a, "demo").Resource}, []string{"decision.prove", asked.decision})
		for name, tc := range map[string]struct {
			caller, path string
			status       int
		}{
			"another tenant's":   {"other", "/decisions/" + asked.decision + "/proof", 404},
			"one that isn't":     {"auditor", "/decisions/nothing/proof", 404},
			"a bad query":        {"auditor", "/decisions/" + asked.decision + "/proof?x=1", 422},
			"without the role":   {"manager", "/decisions/" + asked.decision + "/proof", 403},
			"without the scope":  {"thin", "/decisions/" + asked.decision + "/proof", 403},
			"without credential": {"nobody", "/decisions/" + asked.decision + "/proof", 401},
		} {
			if got := w.as(tc.caller, "GET", tc.path, ""); got.status != tc.status {
				t.Errorf("%s: %d, want %d", name, got.status, tc.status)
			}
		}
		req := httptest.NewRequest("GET", "/admin/api/decisions/"+asked.decision+"/proof", nil)
		req.Host = "demo.localhost"
		req.Header.Set("Test-Caller", "auditor")
		res, err := w.app.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		equal(t, "headers", []string{res.Header.Get("Content-Type"), res.Header.Get("Content-Disposition")},
			[]string{"text/plain; charset=utf-8", `attachment; filename="` + asked.decision + `.tlog-proof"`})
	})
}

func TestTheLogsKeyIsRotatedByTheHomeTenantAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := withTrail(newWorld(t, db))
		first := w.vkeys()
		for caller, status := range map[string]int{"auditor": 403, "manager": 403, "thin": 403, "nobody": 401, "other": 403} {
			if got := w.as(caller, "POST", "/audit/keys", ""); got.status != status {
				t.Errorf("%s: %d, want %d", caller, got.status, status)
			}
		}
		for body, status := range map[string]int{`{`: 400, `{"overlap_s":-1}`: 422, `{"overlap_s":99999999999}`: 422, `{"x":1}`: 422, `[]`: 400} {
			if got := w.as("admin", "POST", "/audit/keys", body); got.status != status {
				t.Errorf("%s: %d, want %d", body, got.status, status)
			}
		}
		equal(t, "the keys", w.vkeys(), first)
		a := w.ok(201, "admin", "POST", "/audit/keys", `{"overlap_s":3600}`)
		both := w.vkeys()
		if len(both) != 2 || both[1] != first[0] || !strings.Contains(a.body, both[0]) {
			t.Fatalf("%v after %v: %s", both, first, a.body)
		}
		equal(t, "its record", w.record(a, "demo").Action, "trail.rotate")
		var follow *store.Record
		err := db.Records(context.Background(), w.record(a, "demo").Index-1, w.record(a, "demo").Index+2, func(r *store.Record) error {
			if r.Action == "log_key.create" {
				follow = r
			}
			return nil
		})
		if err != nil || follow == nil || !bytes.Contains(follow.Body, []byte(both[0])) || !bytes.Contains(follow.Body, []byte(first[0])) {
			t.Errorf("the record of the key beside it: %+v, %v", follow, err)
		}
		asked := w.ok(200, "admin", "GET", "/audit/keys", "")
		a = w.ok(200, "auditor", "GET", "/decisions/"+asked.decision+"/proof", "")
		for _, vkey := range both {
			if _, err := trail.Open([]byte(a.body[strings.Index(a.body, "\n\n")+2:]), vkey); err != nil {
				t.Errorf("the next checkpoint is not signed by %s: %v", vkey, err)
			}
		}
	})
}

func TestKeptCheckpointsAreRead(t *testing.T) {
	w := withTrail(newWorld(t, storetest.SQLite(t)))
	asked := w.ok(200, "admin", "GET", "/clients", "")
	w.ok(200, "auditor", "GET", "/decisions/"+asked.decision+"/proof", "") // makes one
	open := func(a answer) *trail.Signed {
		t.Helper()
		c, err := trail.Open([]byte(a.body), w.vkeys()...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, last := open(w.ok(200, "auditor", "GET", "/audit/checkpoint?size=0", "")), open(w.ok(200, "auditor", "GET", "/audit/checkpoint", ""))
	if first.Size != 1 || last.Size <= first.Size {
		t.Errorf("%d, then %d", first.Size, last.Size)
	}
	for query, status := range map[string]int{
		"?size=100000": 404, "?at=2020-01-01T00:00:00Z": 404, "?at=2100-01-01T00:00:00Z": 200, "?size=-1": 422, "?size=1&at=2020-01-01T00:00:00Z": 422, "?x=1": 422, "?at=x": 422,
	} {
		if got := w.as("auditor", "GET", "/audit/checkpoint"+query, ""); got.status != status {
			t.Errorf("%s: %d, want %d", query, got.status, status)
		}
	}
	for caller, status := range map[string]int{"manager": 403, "nobody": 401, "thin": 403} {
		if got := w.as(caller, "GET", "/audit/checkpoint", ""); got.status != status {
			t.Errorf("%s: %d, want %d", caller, got.status, status)
		}
	}
}

func TestWithoutAPublisherThereAreNoProofs(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	engine, err := policies.Open(policies.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	engine.Timeout = 10 * time.Second
	a := &admin.Admin{Gate: &gate.Gate{Policy: engine, Store: w.db, Now: time.Now, NewID: uuid.NewString}, Store: w.db}
	g := w.app.Group("/admin/api")
	g.Get("/decisions/:id/proof", a.DecisionProof())
	g.Get("/audit/keys", a.LogKeys())
	g.Post("/audit/keys", a.RotateLogKey())
	asked := w.ok(200, "admin", "GET", "/clients", "")
	w.ok(404, "auditor", "GET", "/decisions/"+asked.decision+"/proof", "")
	w.ok(404, "auditor", "GET", "/audit/keys", "")
	w.ok(404, "admin", "POST", "/audit/keys", "")
}
