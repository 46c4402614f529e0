package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/server/gate"
)

// schema is what OCSF publishes of the class, with what it inherits.
type schema struct {
	Version string
	Class   shape
	Objects map[string]shape
}

type shape struct {
	Constraints struct {
		AtLeastOne []string `json:"at_least_one"`
	}
	Attributes map[string]struct {
		Requirement, Type, Object, Sibling string
		IsArray                            bool `json:"is_array"`
		Enum                               map[string]string
	}
}

func ocsfSchema(t *testing.T) *schema {
	t.Helper()
	raw, err := os.ReadFile("testdata/ocsf_1.8.0_api_activity.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// faults are what the schema says against an object.
func (s *schema) faults(at string, of shape, object map[string]any) (all []string) {
	find := func(format string, args ...any) { all = append(all, at+": "+fmt.Sprintf(format, args...)) }
	for name, a := range of.Attributes {
		if _, ok := object[name]; a.Requirement == "required" && !ok {
			find("%s is required", name)
		}
	}
	if one := of.Constraints.AtLeastOne; len(one) > 0 && !slices.ContainsFunc(one, func(name string) bool { return object[name] != nil }) {
		find("one of %v is required", one)
	}
	for name, v := range object {
		a, known := of.Attributes[name]
		if !known {
			find("there is no %s", name)
			continue
		}
		items, isArray := v.([]any)
		if isArray != a.IsArray {
			find("%s is an array: %v", name, isArray)
			continue
		}
		if !isArray {
			items = []any{v}
		}
		for _, item := range items {
			inner, isObject := item.(map[string]any)
			switch {
			case isObject != (a.Object != ""):
				find("%s is an object: %v", name, isObject)
			case isObject && a.Object != "object":
				nested, ok := s.Objects[a.Object]
				if !ok {
					find("%s is a %s, which the test does not know", name, a.Object)
				}
				all = append(all, s.faults(at+"."+name, nested, inner)...)
			case !isObject && !typed(a.Type, item):
				find("%s is %v, want a %s", name, item, a.Type)
			}
			if n, ok := item.(float64); ok && len(a.Enum) > 0 {
				caption, ok := a.Enum[fmt.Sprint(int(n))]
				if !ok {
					find("%s has no %v", name, n)
				}
				if beside := object[a.Sibling]; a.Sibling != "" && ok && n != 99 && beside != caption {
					find("%s is %v, beside %s %v; want %s", a.Sibling, beside, name, n, caption)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

func typed(kind string, v any) bool {
	switch kind {
	case "integer_t", "long_t", "timestamp_t", "port_t":
		n, ok := v.(float64)
		return ok && n == float64(int64(n))
	case "boolean_t":
		_, ok := v.(bool)
		return ok
	}
	_, ok := v.(string)
	return ok
}

const decided = `{"labels":{"id":"node","version":"1.2.3"},"decision_id":"0197","bundles":{"pointgate":{"revision":"sha256:ab"}},"path":"pointgate/decision",
	"input":{"subject":{"type":"customer","id":"cus_a","properties":{"tenant":"demo","roles":[]}},"action":{"name":"points.redeem"},
		"resource":{"type":"points_account","id":"cus_b","named":true,"properties":{"owner":"cus_b","tenant":"demo"}},
		"context":{"authentication":{"method":"oauth2","status":"valid","age_s":1,"amr":[]},"client":{"id":"web","trusted":false},"scopes":["points:write"],
			"request":{"id":"req_1","method":"POST","path":"/api/points/redeem","ip":"192.0.2.7"},"tenant":{"id":"demo","home":true},"time":"2026-01-02T03:04:05.678Z","facts":{"points":5}}},
	"result":{"allow":false,"status":403,"code":"not_owner","reasons":[{"code":"not_owner","message":"This is not yours.","rule":"r"}],"needed":["points:write"],"obligations":{}},
	"requested_by":"192.0.2.7","timestamp":"2026-01-02T03:04:05.678901Z","trace_id":"0af7651916cd43dd8448eb211c80319c","metrics":{"timer_rego_query_eval_ns":12},
	"custom":{"tenant":"demo","status":403,"code":"not_owner","data_digest":"sha256:cd","index":41,"nonce":"bm9uY2U="}}`

// TestOCSF checks what events of each shape become, against the published schema.
func TestOCSF(t *testing.T) {
	s := ocsfSchema(t)
	if s.Version != ocsfVersion {
		t.Fatalf("the schema is %s, the mapping %s", s.Version, ocsfVersion)
	}
	allowed := strings.NewReplacer(`"allow":false`, `"allow":true`, `"status":403,"code":"not_owner","data`, `"status":201,"code":"ok","data`).Replace(decided)
	for name, tc := range map[string]struct {
		event string
		want  map[string]any // by path
	}{
		"denied": {decided, map[string]any{
			"class_uid": 6003., "category_uid": 6., "type_uid": 600303., "activity_id": 3., "time": 1767323045678., "status_id": 2., "severity_id": 2.,
			"action_id": 2., "disposition_id": 2., "status_code": "not_owner", "status_detail": "This is not yours.", "metadata.uid": "0197",
			"metadata.version": "1.8.0", "metadata.product.version": "1.2.3", "metadata.tenant_uid": "demo", "metadata.sequence": 41.,
			"actor.user.uid": "cus_a", "actor.user.type_id": 1., "actor.app_uid": "web", "api.operation": "points.redeem", "api.service.name": "pointgate",
			"api.request.uid": "req_1", "http_request.url.path": "/api/points/redeem", "http_request.http_method": "POST", "http_response.code": 403.,
			"src_endpoint.ip": "192.0.2.7", "trace.uid": "0af7651916cd43dd8448eb211c80319c", "unmapped.input.context.facts.points": 5.,
			"unmapped.custom.data_digest": "sha256:cd", "unmapped.input.subject.id": nil, "unmapped.requested_by": nil,
		}},
		"allowed": {allowed, map[string]any{"status_id": 1., "severity_id": 1., "action_id": 1., "disposition_id": 1., "http_response.code": 201.}},
		"allowed, and wrong": {strings.ReplaceAll(allowed, `"status":201,"code":"ok"`, `"status":422,"code":"validation_failed"`),
			map[string]any{"status_id": 2., "action_id": 1., "disposition_id": 1., "severity_id": 1.}},
		"broken": {strings.ReplaceAll(decided, `"status":403,"code":"not_owner","data`, `"status":503,"code":"store_unavailable","data`),
			map[string]any{"status_id": 2., "severity_id": 3., "disposition_id": 27.}},
		"nobody": {strings.ReplaceAll(strings.ReplaceAll(decided, `"type":"customer","id":"cus_a"`, `"type":"anonymous"`), `,"trace_id":"0af7651916cd43dd8448eb211c80319c"`, ""),
			map[string]any{"actor.user.name": "anonymous", "actor.user.type_id": 0., "trace": nil}},
		"an event": {`{"decision_id":"e1","path":"pointgate/token.reuse","input":{"subject":{"type":"customer","id":"cus_a"},"action":{"name":"token.reuse"},"resource":{"type":"grant","id":"gra_1"},
			"context":{"authentication":{"method":"none","status":"missing"},"client":{"id":"web"},"request":{},"tenant":{"id":"demo"}}},"result":{"allow":false,"status":400,"code":"refresh_token_reuse"},
			"requested_by":"","timestamp":"2026-01-02T03:04:05Z","custom":{"tenant":"demo","status":400,"code":"refresh_token_reuse","index":7,"nonce":"x"}}`,
			map[string]any{"activity_id": 99., "activity_name": "reuse", "severity_id": 4., "src_endpoint.name": "unknown", "http_request": nil}},
		"the program's own": {`{"decision_id":"e2","path":"pointgate/trail.retain","input":{"subject":{"type":"system","id":"pointgate"},"action":{"name":"trail.retain"},"resource":{"type":"trail","id":"records"},
			"context":{"authentication":{"method":"internal","status":"valid"},"client":{},"request":{},"tenant":{"id":"demo"}}},"result":{"allow":true,"status":0,"code":"ok"},"requested_by":"",
			"timestamp":"2026-01-02T03:04:05Z","custom":{"tenant":"demo","status":0,"code":"ok","from":1,"index":8,"nonce":"x"}}`,
			map[string]any{"activity_id": 4., "action_id": 3., "disposition_id": 17., "actor.user.type_id": 3., "http_response": nil, "unmapped.custom.from": 1.}},
		"many addresses": {strings.ReplaceAll(decided, `"requested_by":"192.0.2.7"`, `"requested_by":"many"`), map[string]any{"src_endpoint.name": "many"}},
		"erased": {`{"decision_id":"e3","timestamp":"2026-01-02T03:04:05Z","erased":["/input","/result","/requested_by"],"custom":{"tenant":"demo","erased_by":"x","index":9,"entry":"y"}}`,
			map[string]any{"activity_id": 0., "status_id": 0., "actor.app_name": "erased", "api.operation": "unknown", "unmapped.custom.erased_by": "x", "metadata.uid": "e3"}},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := toOCSF([]byte(tc.event))
			if err != nil {
				t.Fatal(err)
			}
			var out map[string]any
			if err := json.Unmarshal(raw, &out); err != nil {
				t.Fatal(err)
			}
			for _, fault := range s.faults("event", s.Class, out) {
				t.Error(fault)
			}
			for path, want := range tc.want {
				if diff := cmp.Diff(want, at(out, path)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			}
		})
	}
	if _, err := toOCSF([]byte(`{"decision_id":"x"}`)); err == nil {
		t.Error("a record without a time is no event")
	}
}

// TestTheSchemaIsAsked: the check itself finds what is wrong.
func TestTheSchemaIsAsked(t *testing.T) {
	s := ocsfSchema(t)
	for what, change := range map[string]func(map[string]any){
		"time is required":           func(e map[string]any) { delete(e, "time") },
		"there is no colour":         func(e map[string]any) { e["colour"] = "red" },
		"activity_id has no 42":      func(e map[string]any) { e["activity_id"] = 42. },
		"want Failure":               func(e map[string]any) { e["status"] = "Success" },
		"one of":                     func(e map[string]any) { e["src_endpoint"] = map[string]any{} },
		"type_uid is 600303, want a": func(e map[string]any) { e["type_uid"] = "600303" },
	} {
		raw, err := toOCSF([]byte(decided))
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]any
		if err := json.Unmarshal(raw, &out); err != nil {
			t.Fatal(err)
		}
		change(out)
		if faults := s.faults("event", s.Class, out); len(faults) != 1 || !strings.Contains(faults[0], what) {
			t.Errorf("%s: %v", what, faults)
		}
	}
}

// TestOCSFHasEveryVerb: a verb of the program has an activity, or stands here as
// one that OCSF has no word for.
func TestOCSFHasEveryVerb(t *testing.T) {
	others := words(`backup complete deliver deny fail finish fork load migrate raise refuse restore reuse rollback start stop succeed verify`)
	seen := map[string]bool{}
	check := func(action string) {
		_, verb, _ := strings.Cut(action, ".")
		seen[verb] = true
		if _, mapped := activities[verb]; mapped == others[verb] {
			t.Errorf("%s: mapped %t, and among the others %t", action, mapped, others[verb])
		}
	}
	for action := range actions { // a test holds them against the routes
		check(action)
	}
	for _, what := range gate.Kinds() {
		action, _, _ := gate.Describe(what)
		check(action)
	}
	for verb := range others {
		if !seen[verb] {
			t.Errorf("nothing can %s", verb)
		}
	}
}
