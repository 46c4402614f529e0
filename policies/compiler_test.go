package policies

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct{ rego, want string }{
		"a typo in a path":       {`decision := input.subjct.id`, "undefined ref: input.subjct"},
		"a typo deeper":          {`decision := input.resource.properties.ownr`, "ownr"},
		"a fact nobody knows":    {`decision := input.context.facts.point`, "point"},
		"a wrong type":           {`decision := input.context.time + 1`, "invalid argument"},
		"a loosened schema":      {"# METADATA\n# schemas:\n#   - input: {}\ndecision := input.subjct", "input.subjct"},
		"the network":            {`decision := http.send({"method": "GET", "url": "http://127.0.0.1"})`, "undefined function http.send"},
		"name look-ups":          {`decision := net.lookup_ip_addr("localhost")`, "undefined function net.lookup_ip_addr"},
		"the clock":              {`decision := time.now_ns()`, "undefined function time.now_ns"},
		"the environment":        {`decision := opa.runtime()`, "undefined function opa.runtime"},
		"chance":                 {`decision := rand.intn("x", 2)`, "undefined function rand.intn"},
		"identifiers":            {`decision := uuid.rfc4122("x")`, "undefined function uuid.rfc4122"},
		"tokens":                 {`decision := io.jwt.decode("x")`, "undefined function io.jwt.decode"},
		"ranges":                 {`decision := numbers.range(1, 1000000000)`, "undefined function numbers.range"},
		"walks":                  {`decision := [p | walk(input, [p, _])]`, "undefined function walk"},
		"prints":                 {`decision := 1 if print("x")`, "undefined function internal.print"},
		"traces":                 {`decision := 1 if trace("x")`, "undefined function trace"},
		"another language":       {"import rego.v2\ndecision := 1", "rego.v2"},
		"what is not used":       {"import data.xs\ndecision := 1", "unused"},
		"an unused assignment":   {"decision := 1 if {\n\tx := 2\n}", "unused"},
		"a recursion":            {"decision := a\na := decision", "recursive"},
		"what is not Rego":       {`decision = `, "rego_parse_error"},
		"a remote schema":        {"# METADATA\n# schemas:\n#   - data.xs: {$ref: \"http://127.0.0.1/x\"}\ndecision := data.xs\nx := input.subjct", "input.subjct"},
		"an old way of speaking": {`decision[x] { x := 1 }`, "rego_parse_error"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open(policy(c.rego)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestNoBuiltinIsUnknownOrByChance(t *testing.T) {
	found := map[string]bool{}
	for _, b := range capabilities().Builtins {
		found[b.Name] = true
		if b.Nondeterministic {
			t.Errorf("%s does not depend on its operands alone", b.Name)
		}
	}
	for _, name := range builtins {
		if !found[name] {
			t.Errorf("the library has no builtin %s", name)
		}
	}
	if capabilities().AllowNet == nil {
		t.Error("the compiler may fetch from any host")
	}
}

func TestOpenRefusesBundles(t *testing.T) {
	good := "package pointgate\n\ndecision := " + denial
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"without data":             {map[string]string{"main.rego": good}, "no data.json"},
		"with data in folders":     {map[string]string{"main.rego": good, "data.json": "{}", "a/data.json": "{}"}, "at the root"},
		"with broken data":         {map[string]string{"main.rego": good, "data.json": "{"}, "data.json"},
		"with two values":          {map[string]string{"main.rego": good, "data.json": "{} {}"}, "more than one value"},
		"with data that decides":   {map[string]string{"main.rego": good, "data.json": `{"pointgate": {"decision": {"allow": true}}}`}, "conflict"},
		"with a bad role table":    {map[string]string{"main.rego": good, "data.json": `{"roles": {"viewer": {"scopes": "points:read"}}}`}, "data.json"},
		"with too much":            {map[string]string{"main.rego": good + strings.Repeat("\n", maxBundleBytes), "data.json": "{}"}, "bytes in all"},
		"with a name used in two":  {map[string]string{"main.rego": good, "b.rego": "package pointgate.decision\n\nx := 1", "data.json": "{}"}, "conflict"},
		"with a test that decides": {map[string]string{"main_test.rego": good, "main.rego": "package pointgate\n\nx := input.subjct", "data.json": "{}"}, "input.subjct"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open(files(c.files)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func files(contents map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, content := range contents {
		m[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return m
}

func TestRevisionNamesWhatDecides(t *testing.T) {
	base := map[string]string{"main.rego": "package pointgate\n\ndecision := " + denial, "data.json": `{"a": 1}`}
	of := func(name, content string) (string, string) {
		m := map[string]string{name: content}
		for n, c := range base {
			if n != name {
				m[n] = c
			}
		}
		e := open(t, files(m))
		return e.Revision(), decide(t, e, sample()).DataDigest
	}
	revision, data := of("README.md", "x")
	for name, c := range map[string]struct {
		file, content          string
		newRevision, newDigest bool
	}{
		"a test":         {"main_test.rego", "package pointgate_test\n", false, false},
		"a module":       {"b.rego", "package b\n", true, false},
		"its comment":    {"main.rego", base["main.rego"] + "\n# x\n", true, false},
		"the data":       {"data.json", `{"a": 2}`, true, true},
		"the same again": {"main.rego", base["main.rego"], false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, d := of(c.file, c.content)
			if (r != revision) != c.newRevision || (d != data) != c.newDigest {
				t.Errorf("revision %s, data %s", r, d)
			}
		})
	}
}
