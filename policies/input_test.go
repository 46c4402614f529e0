package policies

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
)

// full is a request in which nothing is empty.
func full() *Request {
	r := sample()
	r.Subject.Roles = []string{"viewer", "auditor"}
	r.Context.Trusted, r.Context.Actor, r.Context.Bound, r.Context.Fault = true, "demo-gateway", "dpop", "invalid_token"
	r.Context.Facts = Facts{
		"points": int64(-5), "adjusted_today": 1, "recipient_tenant": "demo",
		"grant_type": "refresh_token", "audience": "https://api.example", "asked_scopes": []string{"points:read"},
		"client_grant_types": []string{"refresh_token"}, "client_scopes": []string{"points:read"}, "client_registered_by": "admin",
		"replay": true, "token_type": "access_token", "own": false, "serves": true, "subject_bound": true,
		"subject_client": "demo-web", "subject_audience": "https://orders.example", "subject_scopes": []string{"points:read"}, "subject_grant": "grt_1", "remembered": true, "grants": []string{"grt_1"},
		"client_documents": true, "registration": "open", "client_public": true, "redirect_uris": []string{"https://app.example/cb"},
	}
	return r
}

func TestInputIsTheContracts(t *testing.T) {
	want := `{
		"subject": {"type": "customer", "id": "cus_alice", "properties": {"roles": ["viewer", "auditor"], "tenant": "demo"}},
		"action": {"name": "points.read"},
		"resource": {"type": "points_account", "named": true, "id": "cus_alice", "properties": {"owner": "cus_alice", "tenant": "demo"}},
		"context": {
			"authentication": {"method": "oauth2", "status": "valid", "age_s": 12, "acr": "urn:pointgate:acr:1fa", "amr": ["pwd"], "bound": "dpop", "fault": "invalid_token"},
			"client": {"id": "demo-web", "trusted": true}, "actor": {"id": "demo-gateway"},
			"scopes": ["points:read", "points:write"],
			"tenant": {"id": "demo", "home": true},
			"request": {"id": "0123456789abcdef", "method": "GET", "path": "/api/points", "ip": "127.0.0.1"},
			"time": "2026-01-02T03:04:05.000006Z",
			"facts": {"points": -5, "adjusted_today": 1, "recipient_tenant": "demo",
				"grant_type": "refresh_token", "audience": "https://api.example", "asked_scopes": ["points:read"],
				"client_grant_types": ["refresh_token"], "client_scopes": ["points:read"], "client_registered_by": "admin",
				"replay": true, "token_type": "access_token", "own": false, "serves": true, "subject_bound": true,
				"subject_client": "demo-web", "subject_audience": "https://orders.example", "subject_scopes": ["points:read"], "subject_grant": "grt_1", "remembered": true, "grants": ["grt_1"],
				"client_documents": true, "registration": "open", "client_public": true, "redirect_uris": ["https://app.example/cb"]}
		}
	}`
	sameJSON(t, want, appendJSON(nil, full().value()))
}

func TestInputLeavesOutWhatIsNotThere(t *testing.T) {
	want := `{
		"subject": {"type": "anonymous", "properties": {"roles": []}},
		"action": {"name": "points.read"},
		"resource": {"type": "points_account", "named": false},
		"context": {
			"authentication": {"method": "none", "status": "missing", "age_s": 0, "amr": []},
			"client": {"trusted": false}, "scopes": [], "tenant": {"home": false},
			"request": {"id": "", "method": "", "path": "", "ip": ""},
			"time": "1970-01-01T00:00:00Z", "facts": {}
		}
	}`
	r := &Request{
		Subject: Subject{Type: "anonymous"}, Action: "points.read", Resource: Resource{Type: "points_account"},
		Context: Context{Method: "none", Status: "missing", Time: time.Unix(0, 0)},
	}
	sameJSON(t, want, appendJSON(nil, r.value()))
}

func sameJSON(t *testing.T, want string, got []byte) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Error(diff)
	}
}

// The schema is what rules are compiled against; were it wider than the
// request, a path could compile that is never there.
func TestSchemaIsTheRequests(t *testing.T) {
	var schema, input map[string]any
	if err := json.Unmarshal(inputSchema, &schema); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(appendJSON(nil, full().value()), &input); err != nil {
		t.Fatal(err)
	}
	sameShape(t, "input", schema, input)
}

func sameShape(t *testing.T, at string, schema, value map[string]any) {
	t.Helper()
	if schema["additionalProperties"] != false {
		t.Errorf("%s is open", at)
	}
	properties, _ := schema["properties"].(map[string]any)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(properties)), slices.Sorted(maps.Keys(value))); diff != "" {
		t.Errorf("%s (-schema +request):\n%s", at, diff)
	}
	for name, p := range properties {
		property, _ := p.(map[string]any)
		is := map[string]any{}
		switch v := value[name].(type) {
		case map[string]any:
			is["type"] = "object"
			sameShape(t, at+"."+name, property, v)
		case []any:
			is["type"] = "array"
		case string:
			is["type"] = "string"
		case bool:
			is["type"] = "boolean"
		case float64:
			is["type"] = "integer"
		}
		if property["type"] != is["type"] {
			t.Errorf("%s.%s is %v in the schema and %v in the request", at, name, property["type"], is["type"])
		}
	}
}

func FuzzInput(f *testing.F) {
	f.Add("cus_alice", "points.redeem", "points:read", "/a\x00b", int64(5))
	f.Add("\xff", "\"\\<>&\u2028", "\x7f", "é\U0001F600", int64(-1<<63))
	f.Add("", "", "", "", int64(1<<63-1))
	e := open(f, Embedded())
	f.Fuzz(func(t *testing.T, id, action, word, path string, n int64) {
		r := &Request{
			Subject: Subject{Type: "customer", ID: id, Roles: []string{word, path}, Tenant: word}, Action: action,
			Resource: Resource{Type: word, ID: path, Owner: id, Tenant: word},
			Context: Context{
				Method: word, Status: "valid", Age: n, AMR: []string{path}, ACR: id, Bound: word, Fault: id, ClientID: id, Actor: path, Scopes: []string{word},
				Tenant: word, RequestID: id, Path: path, Time: time.Unix(n%1e10, 5), Facts: Facts{word: path, "points": n},
			},
		}
		value := r.value()
		text := appendJSON(nil, value)
		if !utf8.Valid(text) || !json.Valid(text) {
			t.Fatalf("not JSON: %q", text)
		}
		parsed, err := ast.ValueFromReader(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if value.Compare(parsed) != 0 {
			t.Errorf("rules see %s, the record says %s", value, text)
		}
		if d, err := e.Decide(t.Context(), r); (err != nil) != (id == "") {
			t.Errorf("%v for %s", err, d.Input)
		}
	})
}
