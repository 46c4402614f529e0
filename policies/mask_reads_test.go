package policies

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// again decides what a record kept once more.
func again(t testing.TB, e *Engine, d *Decision) string {
	t.Helper()
	input, err := ast.ValueFromReader(bytes.NewReader(d.Input))
	if err != nil {
		t.Fatal(err)
	}
	v, err := e.current.Load().evaluate(t.Context(), input, newDeadline(t.Context(), time.Now(), time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return string(appendJSON(nil, v))
}

// whoAndWhose is what an owner can be to a subject.
func whoAndWhose() (out []*Request) {
	for _, subject := range []string{"", "a", "b", "pn_", "\xff"} {
		for _, owner := range []string{"", "a", "b", "pn_", "\uFFFD"} {
			for _, id := range []string{"", "a"} {
				r := sample()
				r.Subject.ID, r.Resource.Owner, r.Resource.ID = subject, owner, id
				if subject == "" {
					r.Subject.Type = "anonymous"
				}
				out = append(out, r)
			}
		}
	}
	return out
}

const (
	yes = `{"allow": true, "status": 200, "code": "ok", "reasons": [], "needed": [], "obligations": {}}`
	no  = `{"allow": false, "status": 403, "code": "denied", "reasons": [], "needed": [], "obligations": {}}`
	// answering is a policy whose answer is that of the rule "answer".
	answering = "decision := " + yes + " if {\n\tanswer\n} else := " + no + "\n\n"
)

// Who and owner are masked, and the address. Rules that can tell the masked from
// the plain are refused by name; all others answer the same.
func TestRulesAnswerTheSameOfWhatIsMasked(t *testing.T) {
	const subject, owner, ip = "/input/subject/id", "/input/resource/properties/owner", "/input/context/request/ip"
	for name, c := range map[string]struct{ rule, refused string }{
		"nothing read":             {`answer if input.action.name == "points.read"`, ""},
		"==":                       {`answer if input.subject.id == input.resource.properties.owner`, ""},
		"== the other way":         {`answer if input.resource.properties.owner == input.subject.id`, ""},
		"!=":                       {`answer if input.subject.id != input.resource.properties.owner`, ""},
		"=":                        {`answer if input.subject.id = input.resource.properties.owner`, ""},
		"not ==":                   {`answer if not input.subject.id == input.resource.properties.owner`, ""},
		"in brackets":              {`answer if input["subject"].id == input.resource["properties"]["owner"]`, ""},
		"as a value":               {`answer := input.subject.id == input.resource.properties.owner`, ""},
		"assigned":                 {"answer if {\n\tx := input.subject.id == input.resource.properties.owner\n\tx == false\n}", ""},
		"in an else":               {"answer if {\n\tinput.resource.id == \"x\"\n} else if {\n\tinput.subject.id == input.resource.properties.owner\n}", ""},
		"in a comprehension":       {`answer if count([1 | input.subject.id == input.resource.properties.owner]) == 1`, ""},
		"in a function":            {"answer if _f(1)\n\n_f(x) if {\n\tx == 1\n\tinput.subject.id == input.resource.properties.owner\n}", ""},
		"with itself":              {`answer if input.subject.id == input.subject.id`, ""},
		"with other data":          {`answer if input.subject.id == input.resource.properties.owner with data.xs as []`, ""},
		"a literal":                {`answer if input.subject.id == "a"`, subject},
		"data":                     {`answer if input.subject.id in data.xs`, subject},
		"a path that is kept":      {`answer if input.subject.id == input.context.tenant.id`, subject},
		"a path that is not":       {`answer if input.subject.id == input.resource.id`, subject},
		"order":                    {`answer if input.subject.id < input.resource.properties.owner`, subject},
		"a builtin":                {`answer if startswith(input.resource.properties.owner, "a")`, owner},
		"a builtin of both":        {`answer if startswith(input.resource.properties.owner, input.subject.id)`, subject},
		"a local name":             {"answer if {\n\tx := input.subject.id\n\tx == input.resource.properties.owner\n}", subject},
		"a rule's value":           {"answer if _who == \"a\"\n\n_who := input.subject.id", subject},
		"an argument":              {"answer if _f(input.subject.id)\n\n_f(x) if x == \"a\"", subject},
		"presence":                 {`answer if input.subject.id`, subject},
		"absence":                  {`answer if not input.subject.id`, subject},
		"absence of an object":     {`answer if not input.subject`, subject},
		"the address":              {`answer if input.context.request.ip`, ip},
		"a parent":                 {"answer if {\n\tsome k, v in input.subject\n\tk == \"id\"\n\tv == \"a\"\n}", subject},
		"a parent, compared":       {`answer if input.subject == input.subject`, subject},
		"all":                      {"answer if {\n\tx := input\n\tx.subject.id == \"a\"\n}", subject},
		"a variable in brackets":   {"answer if {\n\tsome k in [\"subject\"]\n\tinput[k].id == \"a\"\n}", subject},
		"an open place":            {`answer if input.subject[_] == "a"`, subject},
		"a place in data":          {`answer if data.xs[input.subject.id]`, subject},
		"a place in the input":     {`answer if input.context.facts[input.subject.id] == 1`, subject},
		"== of another subject":    {`answer if input.subject.id == input.resource.properties.owner with input.subject.id as "a"`, subject},
		"== with it given on":      {`answer if input.subject.id == input.resource.properties.owner with data.xs as input.subject.id`, subject},
		"a member's name":          {"answer if {\n\tsome k, _ in {input.subject.id: 1}\n\tk == \"a\"\n}", subject},
		"a set":                    {`answer if count({input.subject.id, "a"}) == 1`, subject},
		"a rule's name":            {"answer if _by.a\n\n_by[input.subject.id] := 1", subject},
		"deep in a rule's name":    {"answer if _by.x.a.y\n\n_by.x[input.subject.id].y := 1", subject},
		"a set's member":           {"answer if \"a\" in _all\n\n_all contains input.subject.id", subject},
		"a chain of ==":            {`answer if input.subject.id == input.resource.properties.owner == input.context.tenant.home`, ""},
		"an == of its own":         {"answer if input.subject.id == input.resource.properties.owner\n\nequal(x, y) if x < y", subject},
		"an == replaced":           {"answer if _f == true with equal as _g\n\n_f := input.subject.id == input.resource.properties.owner\n\n_g(x, y) := x < y", subject},
		"another input":            {"answer if _f with input as {\"subject\": {\"id\": \"a\"}, \"resource\": {\"properties\": {\"owner\": \"b\"}}}\n\n_f if input.subject.id == input.resource.properties.owner", subject},
		"another subject":          {"answer if _f with input.subject.id as \"a\"\n\n_f if input.subject.id == input.resource.properties.owner", subject},
		"given on":                 {"answer if _f with data.xs as input.subject\n\n_f if data.xs.id == \"a\"", subject},
		"in an every":              {"answer if {\n\tevery x in [input.subject.id] {\n\t\tx == \"a\"\n\t}\n}", subject},
		"a comprehension's result": {`answer if [x | x := input.subject.id] == ["a"]`, subject},
	} {
		t.Run(name, func(t *testing.T) {
			bundle := policy(answering + c.rule)
			bundle["mask.rego"] = &fstest.MapFile{Data: []byte(`package pointgate

mask := {{"path": "` + subject + `"}, {"path": "` + owner + `"}, {"path": "` + ip + `"}}`)}
			e, err := Open(bundle, PseudonymKey(testKey))
			if c.refused != "" {
				named := regexp.MustCompile(regexp.QuoteMeta(c.refused) + `: pointgate\.[_a-z\[\].]+ \(main.rego:\d+\) (reads|compares)`)
				if err == nil || !named.MatchString(err.Error()) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range whoAndWhose() {
				d := decide(t, e, r)
				if got := again(t, e, d); got != string(d.Result) {
					t.Errorf("%s, then %s of %s", d.Result, got, d.Input)
				}
			}
		})
	}
}

// An import gives the input another name, in its module or in another.
func TestImportsAreReads(t *testing.T) {
	for name, line := range map[string]string{"an object": "input.subject", "a name": "input.subject as s", "all of it": "input as s"} {
		t.Run(name, func(t *testing.T) {
			alias := "s"
			if name == "an object" {
				alias = "subject"
			}
			rule := alias + ".id"
			if name == "all of it" {
				rule = alias + ".subject.id"
			}
			bundle := policy(answering + "answer if data.pointgate.lib.answer")
			bundle["lib.rego"] = &fstest.MapFile{Data: []byte("package pointgate.lib\n\nimport " + line + "\n\nanswer if " + rule + " == input.resource.id\n")}
			bundle["mask.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\nmask := {{\"path\": \"/input/subject/id\"}, {\"path\": \"/input/resource/id\"}}")}
			_, err := Open(bundle, PseudonymKey(testKey))
			if err == nil || !strings.Contains(err.Error(), "(lib.rego:3) reads /input") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// An operator takes the meaning that a rule or an import of its name has.
func TestImportedOperatorIsNoEquality(t *testing.T) {
	bundle := policy("import data.other.less as equal\n\n" + answering + "answer if input.subject.id == input.resource.properties.owner")
	bundle["other.rego"] = &fstest.MapFile{Data: []byte("package other\n\nless(x, y) if x < y\n")}
	bundle["mask.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\nmask := {{\"path\": \"/input/subject/id\"}, {\"path\": \"/input/resource/properties/owner\"}}")}
	if _, err := Open(bundle, PseudonymKey(testKey)); err == nil || !strings.Contains(err.Error(), "pointgate.answer") {
		t.Errorf("error %v", err)
	}
}

func TestOnlyTextHasAPseudonym(t *testing.T) {
	bundle := policy(answering + "answer if input.context.facts.points == input.context.facts.adjusted_today")
	bundle["mask.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\nmask := {{\"path\": \"/input/context/facts/points\"}, {\"path\": \"/input/context/facts/adjusted_today\"}}")}
	if _, err := Open(bundle, PseudonymKey(testKey)); err == nil || !strings.Contains(err.Error(), "only text has a pseudonym") {
		t.Errorf("error %v", err)
	}
}

// Should the walk ever miss a read, the library's own search tells.
func TestNothingIsMaskedWhereTheCompilerSeesMore(t *testing.T) {
	s := open(t, Embedded()).current.Load()
	parsed := regoModules(t, false)
	if _, err := s.inputReads(parsed); err != nil {
		t.Fatal(err)
	}
	parsed["lib/ownership/ownership.rego"] = &ast.Module{Package: parsed["main.rego"].Package}
	if _, err := s.inputReads(parsed); err == nil || !strings.Contains(err.Error(), "reads input.resource.") {
		t.Errorf("a read is missing: %v", err)
	}
	delete(parsed, "lib/ownership/ownership.rego")
	if _, err := s.inputReads(parsed); err == nil {
		t.Error("a module is missing")
	}
}

// What can have no part in a decision may read what it likes.
func TestUnreachableModulesDoNotCount(t *testing.T) {
	bundle := policy(answering + `answer if input.action.name == "points.read"`)
	bundle["idle.rego"] = &fstest.MapFile{Data: []byte("package idle\n\nwho := input.subject.id\n")}
	bundle["main_test.rego"] = &fstest.MapFile{Data: []byte("package pointgate_test\n\nwho := input.subject.id\n")}
	bundle["mask.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\nmask := {{\"path\": \"/input/subject/id\"}}")}
	if d := decide(t, open(t, bundle), sample()); !slices.Contains(d.Erased, "/input/subject/id") {
		t.Errorf("erased %v", d.Erased)
	}
}

// A module that is found through a variable has its part.
func TestModulesFoundByPathCount(t *testing.T) {
	bundle := policy(answering + "answer if data.pointgate.rules[input.action.name].answer")
	bundle["rules/x.rego"] = &fstest.MapFile{Data: []byte("package pointgate.rules.x\n\nanswer if input.subject.id == \"a\"\n")}
	bundle["mask.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\nmask := {{\"path\": \"/input/subject/id\"}}")}
	if _, err := Open(bundle, PseudonymKey(testKey)); err == nil || !strings.Contains(err.Error(), "pointgate.rules.x.answer (rules/x.rego:3)") {
		t.Errorf("error %v", err)
	}
}

func TestMasksOfTheDefaultPolicyThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		masks []string
		want  []string
	}{
		"one half of a comparison": {
			[]string{"/input/subject/id"},
			[]string{"/input/subject/id: pointgate.", " compares it with /input/resource/properties/owner: mask that as well"},
		},
		"the other half": {
			[]string{"/input/resource/properties/owner"},
			[]string{"compares it with /input/subject/id: mask that as well"},
		},
		"a literal": {
			[]string{"/input/context/authentication/method"},
			[]string{"/input/context/authentication/method: pointgate.", ".rego:", "and not only to compare it"},
		},
		"what is compared with the tenant": {
			[]string{"/input/subject/properties/tenant"},
			[]string{"pointgate.lib.tenant.same (lib/tenant/tenant.rego:8)", "/input/context/tenant/id, which can't be masked"},
		},
		"a list that is looked through": {
			[]string{"/input/context/scopes"},
			[]string{"pointgate.lib.registration.respected", "(lib/registration/registration.rego:"},
		},
		"an object of which a member is read": {
			[]string{"/input/context/facts"},
			[]string{"reads /input/context/facts/"},
		},
		"two of which each is wrong": {
			[]string{"/input/subject/id", "/input/context/scopes"},
			[]string{"; /input/subject/id: ", "data.pointgate.mask: /input/context/scopes: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(masking(t, c.masks...), PseudonymKey(testKey))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.want, "mask.rego:3") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
		})
	}
}

// acceptable opens the default policy with each declared path masked, alone or
// with that which it is compared with. The error of one that may not be masked
// must name a rule, or what the log needs.
func acceptable(t *testing.T) map[string]*Engine {
	named := regexp.MustCompile(`pointgate\.[a-z_.]+ \([a-z/_]+\.rego:\d+\)|the log needs /input`)
	partner := regexp.MustCompile(`compares it with (\S+): mask that as well`)
	engines := map[string]*Engine{}
	for _, pointer := range declaredBelow(inputRoot) {
		e, err := Open(masking(t, pointer), PseudonymKey(testKey))
		if err != nil && !named.MatchString(err.Error()) {
			t.Errorf("%s: the error names no rule: %v", pointer, err)
		}
		if err != nil {
			if m := partner.FindStringSubmatch(err.Error()); m != nil {
				e, err = Open(masking(t, pointer, m[1]), PseudonymKey(testKey))
			}
		}
		if err == nil {
			e.Timeout = time.Minute
			engines[pointer] = e
		}
	}
	return engines
}

// Under each mask that is accepted, and under all of them together, each cell of
// the matrix is decided the same by its record.
func TestMaskedRecordsAreDecidedTheSame(t *testing.T) {
	t.Parallel()
	engines := acceptable(t)
	if len(engines) < 10 {
		t.Fatalf("only %v may be masked", slices.Collect(maps.Keys(engines)))
	}
	var all []string
	for pointer := range engines {
		covered := func(other string) bool { return other != pointer && within(pointer, other) }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(engines)), covered) {
			all = append(all, pointer)
		}
	}
	whole := openMasking(t, all...)
	for _, action := range actions(t) {
		sameAgain(t, whole, action)
	}
	for _, e := range engines {
		sameAgain(t, e, "grant.revoke")
	}
}

// sameAgain decides each cell of an action, and then its record.
func sameAgain(t *testing.T, e *Engine, action string) {
	for _, p := range people(e.Roles()) {
		for _, c := range columns {
			r := ask(action, p, c)
			r.Context.ClientID, r.Context.Actor, r.Context.IP, r.Context.RequestID = "app", "service", "192.0.2.7", "req-1"
			r.Context.Bound, r.Context.Fault = "dpop", "invalid_token"
			r.Context.HTTP, r.Context.Path = "GET", "/api/points"
			if r.Context.Facts == nil {
				r.Context.Facts = full().Context.Facts
			}
			d := decide(t, e, r)
			if len(d.Erased)+len(d.Masked) == 0 && p.name == "customer" && c.name == "own" {
				t.Errorf("%s: nothing was masked of %s", action, d.Input)
			}
			if got := again(t, e, d); got != string(d.Result) {
				t.Errorf("%s, %s, %s: %s, then %s of %s", action, p.name, c.name, d.Result, got, d.Input)
			}
		}
	}
}
