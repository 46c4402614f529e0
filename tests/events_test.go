package tests

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/server/gate"
)

var update = flag.Bool("update", false, "write docs/events.md anew")

// eventsOf are the events that the routes without a gate write when they change
// something. What such a route refuses is a gate.RequestRefused everywhere.
var eventsOf = map[string][]gate.What{
	"POST /login":         {gate.LoginSucceeded{}, gate.LoginFailed{}},
	"POST /setup":         {gate.LoginSucceeded{}}, // the administrator is a decision of the program: setup.complete
	"POST /consent":       {gate.ConsentDenied{}},  // a yes is a decision: consent.grant
	"POST /device":        {gate.ConsentDenied{}},  // the same
	"POST /oauth2/token":  {gate.TokenReused{}},    // what is given is a decision: token.issue, token.refresh
	"POST /oauth2/revoke": {gate.TokenRevoked{}},
}

// changeNothing are routes without a gate that read, by a method that others
// change something with.
var changeNothing = map[string]string{
	"POST /oauth2/device_authorization": "the codes that it gives are a decision: device.authorize",
	"POST /oauth2/par":                  "what it keeps is a decision: request.push",
	"POST /oauth2/register":             "what it makes is a decision: client.register",
	"PUT /oauth2/register/:id":          "the same: registration.update",
	"DELETE /oauth2/register/:id":       "the same: registration.delete",
	"POST /oauth2/logout":               "what ends a session is a decision: session.revoke",
	"POST /oauth2/authorize":            "it leads to login and consent, as its GET does",
	"POST /oauth2/introspect":           "it tells about a token, by a decision; the method is RFC 7662's",
}

// TestEveryChangeIsRecorded: a route that may change something is gated, so its
// decision is recorded, or has its events above.
func TestEveryChangeIsRecorded(t *testing.T) {
	s, _ := assembled(t)
	known := map[string]bool{}
	for _, r := range routes(s) {
		name := r.Method + " " + r.Path
		if r.Method == "GET" || r.Method == "HEAD" || ungated[name] == "" {
			continue
		}
		known[name] = true
		if len(eventsOf[name]) == 0 && changeNothing[name] == "" {
			t.Errorf("%s has no gate: which events does it write? See \"To add an event\" in server/gate/doc.go", name)
		}
	}
	for name := range eventsOf {
		if !known[name] {
			t.Errorf("%s is in eventsOf, but it is gated or gone", name)
		}
	}
	for name := range changeNothing {
		if !known[name] || len(eventsOf[name]) > 0 {
			t.Errorf("%s is in changeNothing, but it is gated, gone or in eventsOf", name)
		}
	}
}

// aKind is what the source says of a kind of event.
type aKind struct {
	name, about string
	members     [][2]string // name in JSON, and what it is
}

// kindsInSource are the types that have a method kind, in the order of the
// source, with their comments.
func kindsInSource(t *testing.T) (kinds []aKind) {
	t.Helper()
	files := must(filepath.Glob("../server/gate/kinds*.go"))(t)
	for _, file := range files {
		f := must(parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments))(t)
		is := map[string]bool{}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "kind" && fn.Recv != nil {
				is[fn.Recv.List[0].Type.(*ast.Ident).Name] = true
			}
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			spec := g.Specs[0].(*ast.TypeSpec)
			if s, ok := spec.Type.(*ast.StructType); ok && is[spec.Name.Name] {
				kinds = append(kinds, aKind{name: spec.Name.Name, about: oneParagraph(g.Doc.Text()), members: membersOf(t, s)})
			}
		}
	}
	return kinds
}

func membersOf(t *testing.T, s *ast.StructType) (members [][2]string) {
	t.Helper()
	for _, field := range s.Fields.List {
		tag := reflect.StructTag(must(strconv.Unquote(field.Tag.Value))(t))
		name, _, _ := strings.Cut(tag.Get("json"), ",")
		if name != "-" {
			members = append(members, [2]string{name, oneParagraph(field.Doc.Text())})
		}
	}
	return members
}

func oneParagraph(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestEventsAreDocumented compares docs/events.md with the comments of the kinds.
func TestEventsAreDocumented(t *testing.T) {
	const page = "../docs/events.md"
	source := kindsInSource(t)
	var b strings.Builder
	b.WriteString(eventsHead)
	for _, what := range gate.Kinds() {
		action, code, status := described(what)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", action, code, status)
	}
	for _, what := range gate.Kinds() {
		i := slices.IndexFunc(source, func(k aKind) bool { return k.name == reflect.TypeOf(what).Name() })
		if i < 0 {
			t.Fatalf("%T is in gate.Kinds, and not in the source", what)
		}
		writeKind(t, &b, what, source[i])
	}
	for _, k := range source {
		if !slices.ContainsFunc(gate.Kinds(), func(what gate.What) bool { return reflect.TypeOf(what).Name() == k.name }) {
			t.Errorf("%s is not in gate.Kinds", k.name)
		}
	}
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(must(os.ReadFile(page))(t)), b.String()); diff != "" {
		t.Errorf("docs/events.md (-) is not what the source says (+); run this with -update:\n%s", diff)
	}
}

const eventsHead = `# Events

What is recorded though no policy was asked about it: the ways in, consents and tokens, requests that were refused in front of the gate, and what happens to the installation. Each event is a record of the same log as the decisions, in the same shape: ` + "`path`" + ` is ` + "`pointgate/`" + ` and the action, ` + "`input`" + ` has who, what, on what and whence as far as that is known, ` + "`result`" + ` whether it was allowed, and ` + "`custom`" + ` the members below. The status is that of the answer; 0 where nobody was answered. Clients, keys, people, grants and sessions that are changed through the admin API or the account pages are decisions: see [the policy reference](policy-reference.md).

This page is made from the comments in ` + "`server/gate/kinds*.go`" + `.

| action | code | status |
|---|---|---|
`

func writeKind(t *testing.T, b *strings.Builder, what gate.What, k aKind) {
	t.Helper()
	if !strings.HasPrefix(k.about, k.name+" is ") {
		t.Errorf("the comment on %s begins %.30q", k.name, k.about)
	}
	about := strings.TrimPrefix(k.about, k.name+" is ")
	action, code, _ := described(what)
	fmt.Fprintf(b, "\n## `%s` with the code %s\n\n%s%s\n", action, code, strings.ToUpper(about[:1]), about[1:])
	if len(k.members) > 0 {
		b.WriteString("\n| in custom | |\n|---|---|\n")
	}
	for _, m := range k.members {
		if m[1] == "" {
			t.Errorf("%s.%s has no comment", k.name, m[0])
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", m[0], m[1])
	}
}

// described is the action, code and status as the page has them.
func described(what gate.What) (action, code, status string) {
	action, code, n := gate.Describe(what)
	code, status = "`"+code+"`", strconv.Itoa(n)
	if code == "``" {
		code, status = "of the answer", "of the answer"
	}
	return action, code, status
}

// TestEveryKindIsWritten finds the place of each kind in the program: a kind that
// nobody writes is a promise that nobody keeps.
func TestEveryKindIsWritten(t *testing.T) {
	var program strings.Builder
	for _, room := range []string{"cmd", "server"} {
		err := filepath.WalkDir("../"+room, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				program.Write(must(os.ReadFile(path))(t))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range kindsInSource(t) {
		if !strings.Contains(program.String(), "gate."+k.name+"{") {
			t.Errorf("nobody writes a %s", k.name)
		}
	}
}
