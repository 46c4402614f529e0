package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// evidence is what a super_admin may wish to be gone.
func evidence(w *world) {
	events := &gate.Events{Store: w.db, Now: w.now, NewID: uuid.NewString}
	w.write(func(tx *store.Tx) error {
		for _, path := range []string{"/api/points", "/admin/api/staff/stf_x", "/login", "/oauth2/token"} {
			tx.Record(events.Record(gate.Event{
				What: gate.LoginFailed{Reason: gate.WrongPassword}, Tenant: "demo", Subject: gate.Party{Type: "customer", ID: "cus_1"},
				Grant: "ses_1", Request: &web.Event{Path: path, Method: "POST", IP: "192.0.2.7", RequestID: "req-1"},
			}))
		}
		log := gate.Party{Type: "log", ID: "points.example/audit/2"}
		for what, on := range map[gate.What]gate.Party{
			gate.ErasureFinished{Erasure: "0193-aa", Records: 9, Reason: "r_1", AskedBy: "stf_evil"}: {Type: "person", ID: "pn_abc"},
			gate.VerificationFailed{First: "stf_evil did it"}:                                        {Type: "database", ID: "log"},
			gate.TokenReused{Type: gate.RefreshToken}:                                                {Type: "grant", ID: "grant_1"},
			gate.DatabaseRestored{Operator: "stf_evil", File: "stf_evil.db"}:                         {Type: "database", ID: "stf_evil"},
			gate.PolicyLoaded{Revision: "stf_evil"}:                                                  {Type: "policy", ID: "stf_evil"},
		} {
			tx.Record(events.Record(gate.System("demo", what, on)))
		}
		tx.Record(events.Record(gate.System("demo", gate.LogRolledBack{Size: 1, PublishedSize: 9, Previous: "points.example/audit"}, log)))
		tx.Record(events.Record(gate.Event{What: gate.LoginSucceeded{}, Tenant: "demo", Subject: gate.Party{Type: "client", ID: "shop_1"}, Client: "shop_1"}))
		return nil
	})
}

// TestNobodyErasesTheEvidence: words that stand in records are no persons, even
// if somebody makes accounts that are called so.
func TestNobodyErasesTheEvidence(t *testing.T) {
	oneWorld(t, func(w *world) {
		w.open()
		evidence(w)
		for _, person := range []string{
			"api", "audit", "admin", "oauth2", "wrong_password", "login", "192.0.2.7", "pn_abc", "stf_evil", "0193-aa", "refresh_token", "demo", "log",
			"grant_1", "ses_1", "shop_1", "pointgate", "system", "points.example", "login.fail", "refresh_token_reuse", "POST",
		} {
			m := mentionOf(person)
			if err := w.db.Records(ctx, 0, w.size(), func(r *store.Record) error {
				if m.in(r) {
					w.Errorf("a person called %q would empty %s: %s", person, r.Action, r.Body)
				}
				return nil
			}); err != nil {
				w.Fatal(err)
			}
		}
		erase(w, "audit", "stf_evil")
		erase(w, "stf_evil", "stf_other")
		if err := w.db.Records(ctx, 0, w.size(), func(r *store.Record) error {
			if r.Erased {
				w.Errorf("emptied: %s", r.Action)
			}
			return nil
		}); err != nil {
			w.Fatal(err)
		}
	})
}

func erase(w *world, person, askedBy string) {
	w.Helper()
	w.write(func(tx *store.Tx) error {
		return tx.InsertErasure(ctx, &store.Erasure{
			ID: "of-" + person, Tenant: "demo", Person: person, Pseudonym: "pn_x", AskedBy: askedBy, RequestedAt: tx.Now(),
		})
	})
	e := &Eraser{
		Store: w.db, Events: &gate.Events{Store: w.db, Now: w.now, NewID: uuid.NewString}, Log: w.config.Log, Holder: "one",
		Wait: func(context.Context, time.Duration) error { return nil },
	}
	if err := e.Pass(ctx); err != nil {
		w.Fatal(err)
	}
}

// TestTheOwnActsStay: whom they were about is not a reason to empty them.
func TestTheOwnActsStay(t *testing.T) {
	oneWorld(t, func(w *world) {
		events := &gate.Events{Store: w.db, Now: w.now, NewID: uuid.NewString}
		w.write(func(tx *store.Tx) error {
			for _, who := range []string{"stf_evil", "stf_other"} {
				tx.Record(events.Record(gate.Event{What: gate.LoginSucceeded{}, Tenant: "demo", Subject: gate.Party{Type: "staff", ID: who}, Related: "cus_1"}))
			}
			return nil
		})
		erase(w, "cus_1", "stf_evil")
		var left []string
		_ = w.db.Records(ctx, 0, 2, func(r *store.Record) error { left = append(left, r.Subject); return nil })
		if !slices.Equal(left, []string{"stf_evil", ""}) {
			w.Errorf("left are those of %q", left)
		}
	})
}

// TestPathsNameAPersonWhereRoutesDo, and nowhere else.
func TestPathsNameAPersonWhereRoutesDo(t *testing.T) {
	for path, is := range map[string]bool{
		"/admin/api/customers/cus_1": true, "/admin/api/staff/cus_1": true, "/admin/api/customers/cus%5f1/": true, "/admin/api/customers/cus_12": false,
		"/admin/api/decisions?subject=cus_1": true, "/api/points?limit=1&customer_id=cus%5F1": true, "/api/points?cursor=cus_1": false,
		"/cus_1": false, "/admin/api/clients/cus_1": false, "/api/points/holds/cus_1/capture": false, "/x/admin/api/customers/cus_1": false,
	} {
		for _, place := range []string{`{"input":{"context":{"request":{"path":%q}}}}`, `{"custom":{"first_path":%q}}`} {
			r := &store.Record{Action: "points.read", Body: fmt.Appendf(nil, place, path)}
			if got := mentionOf("cus_1").in(r); got != is {
				t.Errorf("%s: %v", r.Body, got)
			}
		}
	}
}

// TestWhatStandsInRecordsIsKnown: a new member of a record has to be put among
// the meanings, or nobody has thought of whether it names a person.
func TestWhatStandsInRecordsIsKnown(t *testing.T) {
	known := func(pointer string) bool {
		for at := range meanings {
			if pointer == at || strings.HasPrefix(pointer, at+"/") {
				return true
			}
		}
		// By type, and what a caller chose: looked at as any text.
		return slices.Contains([]string{"/input/subject/id", "/input/resource/id", "/input/context/request/id"}, pointer)
	}
	for _, what := range gate.Kinds() {
		action, _, _ := gate.Describe(what)
		if stays(action) {
			continue
		}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(what)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if kind := f.Type.Kind(); name != "-" && (kind == reflect.String || kind == reflect.Slice || kind == reflect.Struct) && !known("/custom/"+name) {
				t.Errorf("%s: is custom.%s a person?", action, name)
			}
		}
	}
	raw, err := os.ReadFile("../../policies/rego/input.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type schema struct {
		Type       string
		Properties map[string]*schema
		Items      *schema
	}
	var input schema
	if err := json.Unmarshal(raw, &input); err != nil {
		t.Fatal(err)
	}
	var texts int
	var walk func(at string, s *schema)
	walk = func(at string, s *schema) {
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			walk(at+"/"+name, s.Properties[name])
		}
		if s.Items != nil {
			walk(at, s.Items)
		}
		if s.Type == "string" {
			if texts++; !known(at) {
				t.Errorf("is %s a person?", at)
			}
		}
	}
	if walk("/input", &input); texts < 10 {
		t.Errorf("the schema has %d strings", texts)
	}
}
