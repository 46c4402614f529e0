package gate_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC)

func events(db *store.DB, mask gate.Mask) *gate.Events {
	return &gate.Events{
		Store: db, Now: func() time.Time { return noon }, NewID: func() string { return "event-1" },
		Labels: map[string]string{"id": "node"}, Mask: mask,
	}
}

// reuse is an event with everything that an event can have.
func reuse() gate.Event {
	return gate.Event{
		What: gate.TokenReused{Type: gate.RefreshToken, ShownBy: "other"}, Tenant: "demo", Client: "web",
		Subject: gate.Party{Type: "customer", ID: "cus_a"}, Proof: gate.Proof{Method: "client_secret", Status: web.Valid},
		Resource: gate.Party{Type: "grant", ID: "grt_1"}, Grant: "grt_1", Related: "cus_b",
		Request: &web.Event{RequestID: "req_1", Method: "POST", Path: "/oauth2/token", IP: "192.0.2.1"},
	}
}

// TestEventHasTheShapeOfADecision compares the whole record: its body explains
// itself, and its columns say no more than the body.
func TestEventHasTheShapeOfADecision(t *testing.T) {
	r := events(nil, nil).Record(reuse())
	want := `{"labels":{"id":"node"},"decision_id":"event-1","path":"pointgate/token.reuse",` +
		`"input":{"subject":{"type":"customer","id":"cus_a"},"action":{"name":"token.reuse"},"resource":{"type":"grant","id":"grt_1"},` +
		`"context":{"authentication":{"method":"client_secret","status":"valid"},"client":{"id":"web"},` +
		`"request":{"id":"req_1","method":"POST","path":"/oauth2/token","ip":"192.0.2.1"},"tenant":{"id":"demo"}}},` +
		`"result":{"allow":false,"status":400,"code":"refresh_token_reuse"},"requested_by":"192.0.2.1","timestamp":"2026-11-22T12:00:00.123456789Z",` +
		`"custom":{"code":"refresh_token_reuse","grant":"grt_1","related":"cus_b","shown_by":"other","status":400,"tenant":"demo","token_type":"refresh_token"}}`
	if diff := cmp.Diff(want, string(r.Body)); diff != "" {
		t.Error(diff)
	}
	r.Body = nil
	columns := &store.Record{
		ID: "event-1", At: store.At(noon), Tenant: "demo", Subject: "cus_a", Client: "web", Action: "token.reuse", Resource: "grt_1",
		Related: "cus_b", Code: "refresh_token_reuse", Status: 400, Request: "req_1", Grant: "grt_1", IP: "192.0.2.1",
	}
	if diff := cmp.Diff(columns, r, cmpopts.IgnoreUnexported(store.Record{})); diff != "" {
		t.Error(diff)
	}
}

func TestEventOfNobody(t *testing.T) {
	r := events(nil, nil).Record(gate.Event{What: gate.RequestRefused{Code: "not_found", Status: 404, Count: 3}, Tenant: "demo"})
	for _, part := range []string{
		`"subject":{"type":"anonymous"}`, `"resource":{}`, `"context":{"client":{},"request":{},"tenant":{"id":"demo"}}`,
		`"custom":{"code":"not_found","count":3,"first_path":"","status":404,"tenant":"demo"}}`,
	} {
		if !strings.Contains(string(r.Body), part) {
			t.Errorf("no %s in %s", part, r.Body)
		}
	}
	if s := events(nil, nil).Record(gate.System("demo", gate.ServerStopped{}, gate.Party{})); s.Subject != "pointgate" || !s.Allow || s.Code != "ok" {
		t.Errorf("the program itself: %+v", s)
	}
}

// letters replaces every value by its length, and leaves out what is at one place.
type letters struct{ out string }

func (m letters) Value(pointer, value string) (string, bool) {
	switch pointer {
	case m.out:
		return "", true
	case "/input/context/request/path":
		return value, false
	}
	return strings.Repeat("x", len(value)), true
}

// TestMask: what is masked is nowhere in the record, neither in its body nor in
// the columns that are searched, and the body says what was masked.
func TestMask(t *testing.T) {
	const ip = "/input/context/request/ip"
	r := events(nil, letters{out: ip}).Record(reuse())
	for _, secret := range []string{"cus_a", "cus_b", "grt_1", "web", "other", "192.0.2.1"} {
		raw, _ := json.Marshal(r)
		body := strings.Replace(string(r.Body), `"shown_by"`, "", 1)
		if strings.Contains(string(raw), secret) || strings.Contains(body, `"`+secret+`"`) {
			t.Errorf("%s is in %+v, %s", secret, r, r.Body)
		}
	}
	var body struct {
		Masked, Erased []string
		Input          struct {
			Subject struct{ ID string }
			Context struct{ Request map[string]string }
		}
	}
	if err := json.Unmarshal(r.Body, &body); err != nil {
		t.Fatal(err)
	}
	if _, there := body.Input.Context.Request["ip"]; there || body.Input.Subject.ID != "xxxxx" || r.Subject != "xxxxx" || r.Tenant != "demo" || r.Code != "refresh_token_reuse" {
		t.Errorf("got %s", r.Body)
	}
	if diff := cmp.Diff([]string{ip}, body.Erased); diff != "" {
		t.Error(diff)
	}
	for _, p := range []string{"/input/subject/id", "/input/resource/id", "/input/context/client/id", "/custom/related", "/custom/grant", "/custom/shown_by", "/requested_by"} {
		if !strings.Contains(strings.Join(body.Masked, " "), p) {
			t.Errorf("%s is not among the masked: %v", p, body.Masked)
		}
	}
}

// TestEveryKind: each can be written and read back, and none uses a name of
// custom that is the log's.
func TestEveryKind(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, seen := context.Background(), map[string]bool{}
		for n, what := range gate.Kinds() {
			action, code, _ := gate.Describe(what)
			if noun, verb, ok := strings.Cut(action, "."); !ok || noun == "" || verb == "" || seen[action+code] {
				t.Errorf("%T has the action %q with code %q", what, action, code)
			}
			seen[action+code] = true
			raw, err := json.Marshal(what)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"tenant", "status", "code", "grant", "related", "ledger", "data_digest", "index", "nonce", "entry", "erased_by", "withheld"} {
				if strings.Contains(string(raw), `"`+name+`":`) {
					t.Errorf("%T has a member %s", what, name)
				}
			}
			if err := events(db, nil).Append(ctx, gate.Event{What: what, Tenant: "demo"}); err != nil {
				t.Fatalf("%T: %v", what, err)
			}
			if size, err := db.LogSize(ctx); err != nil || size != int64(n+1) {
				t.Errorf("%T: the log has %d records, %v", what, size, err)
			}
		}
	})
}

func TestAnEventThatCannotBeRecorded(t *testing.T) {
	db := storetest.SQLite(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := events(db, nil).Append(context.Background(), reuse()); err == nil {
		t.Error("it says that it is recorded")
	}
}
