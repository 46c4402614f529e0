package policies

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/open-policy-agent/opa/v1/ast"
)

// endless takes a hundred million turns.
const endless = "some a in _n; some b in _n; some c in _n; some d in _n; some e in _n; some f in _n; some g in _n; some h in _n"

func TestMasksThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ mask, want string }{
		"no set":              {`mask := [{"path": "/requested_by"}]`, "not a value of type array"},
		"one object":          {`mask := {"path": "/requested_by"}`, "not a value of type object"},
		"a text":              {`mask := {"/requested_by"}`, "want an object"},
		"no path":             {`mask := {{"reason": "x"}}`, "want a JSON pointer"},
		"a path of numbers":   {`mask := {{"path": 1}}`, "path is no text"},
		"a reason of numbers": {`mask := {{"path": "/requested_by", "reason": 1}}`, "reason is no text"},
		"another member":      {`mask := {{"path": "/requested_by", "op": "remove"}}`, `no member "op"`},
		"everything":          {`mask := {{"path": ""}}`, "want a JSON pointer"},
		"no pointer":          {`mask := {{"path": "input/subject/id"}}`, "want a JSON pointer"},
		"a typo":              {`mask := {{"path": "/input/subjct/id"}}`, "want a JSON pointer"},
		"an element":          {`mask := {{"path": "/input/context/scopes/0"}}`, "want a JSON pointer"},
		"the result":          {`mask := {{"path": "/result"}}`, "want a JSON pointer"},
		"the input":           {`mask := {{"path": "/input"}}`, "the log needs /input/action"},
		"the action":          {`mask := {{"path": "/input/action/name"}}`, "the log needs /input/action"},
		"the kind of subject": {`mask := {{"path": "/input/subject/type"}}`, "the log needs /input/subject/type"},
		"the subject":         {`mask := {{"path": "/input/subject"}}`, "the log needs /input/subject/type"},
		"the tenant":          {`mask := {{"path": "/input/context/tenant/id"}}`, "the log needs /input/context/tenant"},
		"the time":            {`mask := {{"path": "/input/context/time"}}`, "the log needs /input/context/time"},
		"one in another":      {`mask := {{"path": "/input/context/request"}, {"path": "/input/context/request/id"}}`, "leave one out"},
		"by the input":        {`mask := {{"path": "/requested_by"}} if input.subject.type == "customer"`, "pointgate.mask (mask.rego:3) reads input.subject.type"},
		"by it, elsewhere":    {"mask := {{\"path\": \"/requested_by\"}} if _yes\n\n_yes if input.context.tenant.home", "pointgate._yes (mask.rego:5) reads input"},
		"by all of it":        {`mask := {x | some x in [input]}`, "reads input"},
		"by parts of it":      {`mask contains {"path": p} if some p in input.context.scopes`, "reads input.context.scopes"},
		"nothing said":        {`mask := {{"path": "/requested_by"}} if 1 == 2`, "undefined"},
		"two that differ":     {"mask := set()\n\nmask := {{\"path\": \"/requested_by\"}}", "mask.rego:3, mask.rego:5"},
		"an endless rule":     {"mask := {[a, b, c, d, e, f, g, h] | " + endless + "}\n\n_n := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]", "cancel"},
	} {
		t.Run(name, func(t *testing.T) {
			bundle := masking(t)
			bundle["mask.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\n" + c.mask + "\n")}
			_, err := Open(bundle, PseudonymKey(testKey))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "mask.rego:") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestMasksThatStandElsewhereAreRefused(t *testing.T) {
	inPackage, inData := masking(t), masking(t)
	delete(inPackage, "mask.rego")
	inPackage["mask/mask.rego"] = &fstest.MapFile{Data: []byte("package pointgate.mask\n\nmask := {{\"path\": \"/requested_by\"}}\n")}
	delete(inData, "mask.rego")
	inData["data.json"] = &fstest.MapFile{Data: []byte(`{"pointgate": {"mask": [{"path": "/requested_by"}]}}`)}
	for name, c := range map[string]struct {
		bundle fstest.MapFS
		want   string
	}{"in a package": {inPackage, "mask/mask.rego:3: data.pointgate.mask: want a set"}, "in data": {inData, "data.json: data.pointgate.mask: want a set"}} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open(c.bundle); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestMasksMayComeFromDataAndManyFiles(t *testing.T) {
	bundle := masking(t)
	bundle["mask.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\nmask contains {\"path\": p} if some p in data.masked\n")}
	bundle["more.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\nmask contains {\"path\": \"/input/context/client/id\", \"reason\": \"x\"}\n")}
	data := strings.Replace(readAll(t, "data.json"), "{", `{"masked": ["/requested_by"], `, 1)
	bundle["data.json"] = &fstest.MapFile{Data: []byte(data)}
	e := open(t, bundle)
	for _, p := range []string{requestedBy, ipField, "/input/context/client/id"} {
		if got, masked := e.Masked().Value(p, "x"); got != "" || !masked {
			t.Errorf("%s is kept", p)
		}
	}
}

func TestPolicyWithoutMasks(t *testing.T) {
	bundle := masking(t)
	delete(bundle, "mask.rego")
	if d := decide(t, open(t, bundle), sample()); d.Erased != nil {
		t.Errorf("erased %v", d.Erased)
	}
}

func TestPseudonymsNeedAKey(t *testing.T) {
	_, err := Open(masking(t, "/input/subject/id", "/input/resource/properties/owner"))
	if err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("error %v", err)
	}
	open(t, masking(t, "/input/context/request/ip"))
}

// What the log needs has to be in the schema, or a mask on it would go by.
func TestWhatIsNeverMaskedIsDeclared(t *testing.T) {
	for _, p := range append([]string{ipField}, neverMasked...) {
		if declared(p) == nil {
			t.Errorf("%s is not in the schema", p)
		}
	}
}

func TestUnseenReads(t *testing.T) {
	reads := []inputRead{{pointer: "/input/subject"}, {pointer: "/input/context/scopes"}}
	for name, c := range map[string]struct {
		ref string
		ok  bool
	}{
		"the same":       {"input.context.scopes", true},
		"below one":      {"input.subject.id", true},
		"data":           {"data.roles", true},
		"another":        {"input.resource.id", false},
		"above one":      {"input.context", false},
		"all":            {"input", false},
		"a longer name":  {"input.subjects", false},
		"not to the end": {"input.context[x]", false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := unseen([]ast.Ref{ast.MustParseRef(c.ref)}, reads); (err == nil) != c.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}
