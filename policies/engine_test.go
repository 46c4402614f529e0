package policies

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func open(t testing.TB, bundle fs.FS) *Engine {
	t.Helper()
	e, err := Open(bundle)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// policy is a bundle of one module and some data.
func policy(body string) fstest.MapFS {
	return fstest.MapFS{
		"main.rego": {Data: []byte("package pointgate\n\n" + body)},
		"data.json": {Data: []byte(`{"xs": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}`)},
	}
}

const denial = `{"allow": false, "status": 403, "code": "denied", "reasons": [], "needed": [], "obligations": {}}`

func TestDecideReadsTheAnswer(t *testing.T) {
	e := open(t, policy(`decision := {
		"allow": true, "status": 200, "code": "ok", "needed": ["a:b", "c:d"],
		"reasons": [{"code": "because", "message": "I say so.", "rule": "main"}],
		"obligations": {"most": 1000, "why": "x", "soon": true},
	}`))
	d := decide(t, e, sample())
	want := &Decision{
		Allow: true, Status: 200, Code: "ok", Needed: []string{"a:b", "c:d"},
		Reasons:     []Reason{{"because", "I say so.", "main"}},
		Obligations: map[string]any{"most": int64(1000), "why": "x", "soon": true},
		Input:       appendJSON(nil, sample().value()), Result: d.Result,
		Revision: e.Revision(), DataDigest: d.DataDigest, EvalNS: d.EvalNS,
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if !json.Valid(d.Result) || !strings.Contains(string(d.Result), `"most":1000`) {
		t.Errorf("result %s", d.Result)
	}
	if d.EvalNS <= 0 {
		t.Error("not timed")
	}
}

func TestDecideDeniesWithoutAnAnswer(t *testing.T) {
	ok := func(change string) string {
		return `decision := object.union({"allow": true, "status": 200, "code": "ok", "reasons": [], "needed": [], "obligations": {}}, ` + change + `)`
	}
	for name, c := range map[string]struct{ rego, want string }{
		"undefined":          {`decision := 1 if input.action.name == "no"`, "undefined"},
		"no rule":            {`allow := true`, "undefined"},
		"builtin error":      {`decision := 1 / (count(input.context.authentication.amr) - 1)`, "divide by zero"},
		"conflict":           {"decision := x if some x in [1, 2]", "conflict"},
		"not an object":      {`decision := true`, "malformed"},
		"a set":              {`decision := {1, 2}`, "malformed"},
		"nothing in it":      {`decision := {}`, "allow is missing"},
		"allow is text":      {`decision := {"allow": "true", "status": 200, "code": "ok", "reasons": [], "needed": [], "obligations": {}}`, "allow"},
		"allow with a 403":   {ok(`{"status": 403}`), "status 403"},
		"allow with a code":  {ok(`{"code": "denied"}`), `code "denied"`},
		"denial with a 200":  {ok(`{"allow": false, "code": "denied"}`), "status 200"},
		"denial with ok":     {ok(`{"allow": false, "status": 403}`), `code "ok"`},
		"denial with duties": {ok(`{"allow": false, "status": 403, "code": "denied", "obligations": {"a": 1}}`), "obligations"},
		"half a status":      {ok(`{"status": 200.5}`), "status"},
		"needed is text":     {ok(`{"needed": "a:b"}`), "needed"},
		"needed are numbers": {ok(`{"needed": [1]}`), "needed"},
		"reasons are texts":  {ok(`{"reasons": ["because"]}`), "reasons"},
		"reason lacks text":  {ok(`{"reasons": [{"code": "x", "rule": "y"}]}`), "reasons"},
		"deep obligations":   {ok(`{"obligations": {"a": [1]}}`), "obligations"},
		"obligations a list": {ok(`{"obligations": []}`), "obligations"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := open(t, policy(c.rego)).Decide(t.Context(), sample())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			unavailable(t, d)
		})
	}
}

// unavailable is what a record needs of a decision that was not made.
func unavailable(t *testing.T, d *Decision) {
	t.Helper()
	if d == nil || d.Allow || d.Code != "policy_unavailable" || d.Status != 503 {
		t.Fatalf("%+v", d)
	}
	if !json.Valid(d.Input) || d.Revision == "" || d.DataDigest == "" || d.Obligations != nil {
		t.Errorf("%+v", d)
	}
}

func TestDecideRefusesHalfAQuestion(t *testing.T) {
	e := open(t, Embedded())
	nobody, list := sample(), sample()
	nobody.Subject.ID = ""
	list.Context.Facts = Facts{"points": []int{1}}
	for name, r := range map[string]*Request{"nobody asks": nobody, "a fact is no scalar": list} {
		t.Run(name, func(t *testing.T) {
			d, err := e.Decide(t.Context(), r)
			if err == nil {
				t.Error("no error")
			}
			unavailable(t, d)
		})
	}
}

func TestDeadlineEndsEndlessRules(t *testing.T) {
	var loops strings.Builder
	for i := range 12 {
		fmt.Fprintf(&loops, "some x%d in data.xs\nx%d >= 0\n", i, i)
	}
	for name, body := range map[string]string{
		"comprehension": "decision := count([1 | " + loops.String() + " ])",
		"search":        "decision := 1 if {\n" + loops.String() + "x0 + x11 < 0\n}",
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, policy(body))
			e.Timeout = 5 * time.Millisecond
			begin := time.Now()
			d, err := e.Decide(t.Context(), sample())
			if err == nil || !strings.Contains(err.Error(), "cancel") {
				t.Errorf("error %v", err)
			}
			unavailable(t, d)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestDeadlineSparesWhoHasHardlyBegun(t *testing.T) {
	ask := func(d *deadline, times int) bool {
		for range times {
			d.Cancelled()
		}
		return d.Cancelled()
	}
	ended, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, c := range map[string]struct {
		d     *deadline
		times int
		over  bool
	}{
		"in time":                {newDeadline(t.Context(), time.Now(), time.Hour), 10_000, false},
		"late, little work":      {newDeadline(t.Context(), time.Now().Add(-2*time.Minute), time.Minute), 100, false},
		"late, much work":        {newDeadline(t.Context(), time.Now().Add(-2*time.Minute), time.Minute), 10_000, true},
		"very late, little work": {newDeadline(t.Context(), time.Now().Add(-time.Hour), time.Minute), 100, true},
		"the caller has left":    {newDeadline(ended, time.Now(), time.Hour), 100, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(c.d, c.times); got != c.over {
				t.Errorf("over %t, want %t", got, c.over)
			}
		})
	}
}

func TestPanicDenies(t *testing.T) {
	s := open(t, Embedded()).current.Load()
	if v, err := s.evaluate(t.Context(), sample().value(), nil); err == nil || v != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func TestLoadReplacesTheRevisionWhole(t *testing.T) {
	allow := policy(`decision := {"allow": true, "status": 200, "code": "ok", "reasons": [], "needed": [], "obligations": {}}`)
	deny := policy("decision := " + denial)
	e := open(t, allow)
	yes := e.Revision()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if d, err := e.Decide(t.Context(), sample()); err != nil || d.Allow != (d.Revision == yes) {
					t.Errorf("%+v, %v", d, err)
				}
			}
		})
	}
	for range 20 {
		for _, b := range []fs.FS{deny, allow} {
			if err := e.Load(b); err != nil {
				t.Error(err)
			}
		}
	}
	wg.Wait()
	if err := e.Load(policy("decision := nothing")); err == nil || e.Revision() != yes {
		t.Errorf("a bundle that does not compile: %v, revision %s", err, e.Revision())
	}
}

func TestRoleTable(t *testing.T) {
	e := open(t, Embedded())
	want := []string{"auditor", "manager", "policy_approver", "policy_editor", "super_admin", "support", "viewer"}
	if diff := cmp.Diff(want, e.Roles()); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]struct{ roles, want []string }{
		"viewer":         {[]string{"viewer"}, []string{"points:read"}},
		"support":        {[]string{"support"}, []string{"points:read"}},
		"manager":        {[]string{"manager"}, []string{"points:adjust", "points:read", "points:write"}},
		"super_admin":    {[]string{"super_admin"}, []string{"admin", "audit:read", "points:adjust", "points:read", "points:write"}},
		"auditor":        {[]string{"auditor"}, []string{"audit:read"}},
		"policy editor":  {[]string{"policy_editor"}, []string{"policy:read", "policy:write"}},
		"approver":       {[]string{"policy_approver"}, []string{"policy:read", "policy:write"}},
		"two that share": {[]string{"viewer", "auditor", "support"}, []string{"audit:read", "points:read"}},
		"one not there":  {[]string{"root"}, nil},
		"none":           {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, e.ScopesOf(c.roles)); diff != "" {
				t.Error(diff)
			}
		})
	}
	e.ScopesOf([]string{"viewer"})[0] = "admin"
	if got := e.ScopesOf([]string{"viewer"}); got[0] != "points:read" {
		t.Error("a caller can change the table")
	}
}
