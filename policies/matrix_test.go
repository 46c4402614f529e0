package policies

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// person is a row of the matrix: who asks. One who is like another but for
// something has a row only where that changes an answer.
type person struct {
	name string
	like string
	is   func(r *Request)
}

// column is whose thing it is, and what the credential is good for. Where
// nothing else is said, the credential has every scope there is: what is denied
// then is denied for other reasons.
type column struct {
	name string
	is   func(r *Request)
}

var everyScope = []string{
	"points:read", "points:write", "points:transfer", "points:adjust",
	"policy:read", "policy:write", "audit:read", "admin", "openid",
}

var columns = []column{
	{"own", func(r *Request) { r.Resource.Owner, r.Resource.Tenant = r.Subject.ID, "demo" }},
	{"another's", anothers},
	{"elsewhere", func(r *Request) { r.Resource.Owner, r.Resource.Tenant = "cus_olga", "other" }},
	{"not there", func(*Request) {}},
	{"unnamed", func(r *Request) { r.Resource.ID = "" }},
	{"own, no scope", func(r *Request) {
		r.Resource.Owner, r.Resource.Tenant, r.Context.Scopes = r.Subject.ID, "demo", nil
	}},
	{"own, page", func(r *Request) {
		r.Resource.Owner, r.Resource.Tenant = r.Subject.ID, "demo"
		r.Context.Method, r.Context.Scopes = "session", nil
	}},
	{"another's, page", func(r *Request) {
		anothers(r)
		r.Context.Method, r.Context.Scopes = "session", nil
	}},
}

func anothers(r *Request) { r.Resource.Owner, r.Resource.Tenant = "cus_bob", "demo" }

// people are all kinds of subject, each role of the table, and those for whom
// something is not as usual.
func people(roles []string) []person {
	out := []person{
		{"anonymous", "", func(r *Request) { r.Subject = Subject{Type: "anonymous"}; r.Context.Status = "missing" }},
		{"customer", "", func(r *Request) { r.Subject.Type = "customer" }},
		{"client", "", func(r *Request) { r.Subject.Type = "client" }},
		{"trusted client", "", func(r *Request) { r.Subject.Type = "client"; r.Context.Trusted = true }},
		{"system", "", func(r *Request) { r.Subject.Type = "system"; r.Context.Method = "internal" }},
	}
	for _, role := range roles {
		out = append(out, person{role, "", staff(role)})
	}
	return append(out,
		person{"customer, receiver here", "customer", func(r *Request) {
			r.Subject.Type = "customer"
			r.Context.Facts = Facts{"recipient_tenant": "demo"}
		}},
		person{"customer, receiver elsewhere", "customer", func(r *Request) {
			r.Subject.Type = "customer"
			r.Context.Facts = Facts{"recipient_tenant": "other"}
		}},
		person{"customer, many points, fresh login", "customer", transferring(500, 300)},
		person{"customer, many points, old login", "customer", transferring(500, 301)},
		person{"customer, fewer points, old login", "customer", transferring(499, 301)},
		person{"manager at the limit", "manager", func(r *Request) {
			staff("manager")(r)
			r.Context.Facts = Facts{"points": int64(-400), "adjusted_today": int64(600)}
		}},
		person{"manager over the limit", "manager", func(r *Request) {
			staff("manager")(r)
			r.Context.Facts = Facts{"points": int64(-401), "adjusted_today": int64(600)}
		}},
		person{"super_admin, any sum", "super_admin", func(r *Request) {
			staff("super_admin")(r)
			r.Context.Facts = Facts{"points": int64(1e9), "adjusted_today": int64(1e12)}
		}},
		person{"super_admin, not home", "super_admin", func(r *Request) { staff("super_admin")(r); r.Context.Home = false }},
	)
}

func transferring(points, age int64) func(*Request) {
	return func(r *Request) {
		r.Subject.Type = "customer"
		r.Context.Age, r.Context.ACR = age, "urn:pointgate:acr:1fa"
		r.Context.Facts = Facts{"points": points, "recipient_tenant": "demo"}
	}
}

func staff(role string) func(*Request) {
	return func(r *Request) { r.Subject.Type, r.Subject.Roles = "staff", []string{role} }
}

// actions are those that the policy has a rule for, read from its folders and
// texts, so that none can be added without showing up; and one without a rule.
func actions(t testing.TB) []string {
	found := map[string]bool{"no.rule": true}
	for name, m := range regoModules(t, false) {
		room, noun := path.Split(path.Dir(name))
		switch room {
		case "points/":
			found["points."+noun] = true
		case path.Join("oauth", path.Base(room)) + "/":
			found[path.Base(room)+"."+noun] = true
		case "admin/", "system/":
			ast.WalkTerms(m, func(x *ast.Term) bool {
				if s, ok := x.Value.(ast.String); ok && strings.HasPrefix(string(s), noun+".") {
					found[string(s)] = true
				}
				return false
			})
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// issuing are the actions that are judged by what the client was registered for,
// which is everything here.
var issuing = map[string]bool{"token.issue": true, "token.refresh": true, "consent.grant": true}

// ask is one cell's question.
func ask(action string, p person, c column) *Request {
	r := &Request{
		Subject:  Subject{ID: "who", Tenant: "demo"},
		Action:   action,
		Resource: Resource{Type: "thing", ID: "some"},
		Context: Context{
			Method: "oauth2", Status: "valid", Scopes: everyScope, Tenant: "demo", Home: true,
			Time: time.Unix(1767323045, 0),
		},
	}
	if _, grants := issuing[action]; grants {
		r.Context.Facts = Facts{
			"grant_type": "authorization_code", "client_grant_types": []string{"authorization_code"}, "client_scopes": everyScope,
		}
	}
	if action == "client.register" {
		r.Context.Facts = Facts{"registration": "open", "client_registered_by": "dynamic", "client_grant_types": []string{"authorization_code"}}
		r.Resource.Type = "client"
	}
	p.is(r)
	c.is(r)
	return r
}

// Every cell is decided twice, with and without the library's short cuts.
func TestMatrix(t *testing.T) {
	t.Parallel()
	e := open(t, Embedded())
	var page bytes.Buffer
	page.WriteString("Who may do what, as the default policy decides it. The credential is valid here and has\n" +
		"every scope, but for the columns that say otherwise; \"page\" is a first-party session.\n")
	for _, action := range actions(t) {
		fmt.Fprintf(&page, "\n%s\n", action)
		w := tabwriter.NewWriter(&page, 0, 0, 2, ' ', 0)
		fmt.Fprint(w, "  who")
		for _, c := range columns {
			fmt.Fprintf(w, "\t%s", c.name)
		}
		rows := map[string]string{}
		for _, p := range people(e.Roles()) {
			rows[p.name] = row(t, e, action, p)
			if p.like == "" || rows[p.name] != rows[p.like] {
				fmt.Fprintf(w, "\n  %s%s", p.name, rows[p.name])
			}
		}
		fmt.Fprintln(w)
		w.Flush()
	}
	golden(t, "testdata/matrix.txt", page.Bytes())
}

func row(t *testing.T, e *Engine, action string, p person) string {
	var cells strings.Builder
	for _, c := range columns {
		r := ask(action, p, c)
		d := decide(t, e, r)
		if plain := withoutIndexing(t, e, r); plain != string(d.Result) {
			t.Errorf("%s, %s, %s: %s with indexing, %s without", action, p.name, c.name, d.Result, plain)
		}
		cells.WriteString("\t" + d.Code)
	}
	return cells.String()
}

func TestCredentialComesBeforeAllElse(t *testing.T) {
	t.Parallel()
	e := open(t, Embedded())
	for _, action := range actions(t) {
		for _, p := range people(e.Roles()) {
			expired, foreign := ask(action, p, columns[0]), ask(action, p, columns[0])
			expired.Context.Status, foreign.Subject.Tenant = "expired", "other"
			if d := decide(t, e, expired); d.Code != "expired_credentials" || d.Status != 401 {
				t.Errorf("%s, %s, expired: %d %s", action, p.name, d.Status, d.Code)
			}
			want := "wrong_tenant"
			if p.name == "anonymous" {
				want = "missing_credentials"
			}
			if d := decide(t, e, foreign); d.Code != want || d.Allow {
				t.Errorf("%s, %s, of another tenant: %s", action, p.name, d.Code)
			}
		}
	}
}

func decide(t testing.TB, e *Engine, r *Request) *Decision {
	t.Helper()
	d, err := e.Decide(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// withoutIndexing is the result when nothing is left out by the library's index
// and early exit. They have given wrong results in some of its releases.
func withoutIndexing(t testing.TB, e *Engine, r *Request) string {
	t.Helper()
	v, err := e.current.Load().evaluate(t.Context(), r.value(), newDeadline(t.Context(), time.Now(), time.Minute),
		rego.EvalRuleIndexing(false), rego.EvalEarlyExit(false))
	if err != nil {
		t.Fatal(err)
	}
	return string(appendJSON(nil, v))
}
