package policies

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
)

var testKey = bytes.Repeat([]byte{7}, pseudonymKeySize)

// masking is the default policy with these masks.
func masking(t testing.TB, pointers ...string) fstest.MapFS {
	t.Helper()
	bundle := fstest.MapFS{"data.json": {Data: []byte(readAll(t, "data.json"))}}
	for _, f := range regoFiles(t, false) {
		bundle[f.path] = &fstest.MapFile{Data: f.content}
	}
	var masks []string
	for _, p := range pointers {
		masks = append(masks, `{"path": "`+p+`"}`)
	}
	set := "{" + strings.Join(masks, ", ") + "}"
	if masks == nil {
		set = "set()"
	}
	bundle["mask.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\nmask := " + set + "\n")}
	return bundle
}

func readAll(t testing.TB, name string) string {
	t.Helper()
	f, err := Embedded().Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func openMasking(t testing.TB, pointers ...string) *Engine {
	t.Helper()
	e, err := Open(masking(t, pointers...), PseudonymKey(testKey))
	if err != nil {
		t.Fatal(err)
	}
	e.Timeout = time.Minute // the race detector is slow
	return e
}

// at is the value of a JSON pointer into an event of this input.
func at(t testing.TB, input json.RawMessage, pointer string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(input, &v); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(pointer, "/")[2:] {
		o, _ := v.(map[string]any)
		if v = o[name]; v == nil {
			return nil
		}
	}
	return v
}

func TestNothingIsMaskedByDefault(t *testing.T) {
	e := open(t, Embedded())
	d := decide(t, e, sample())
	if d.Erased != nil || d.Masked != nil || !bytes.Equal(d.Input, appendJSON(nil, sample().value())) {
		t.Errorf("erased %v, masked %v, input %s", d.Erased, d.Masked, d.Input)
	}
	m := e.Masked()
	if got, masked := m.Value("/requested_by", "192.0.2.7"); got != "192.0.2.7" || masked {
		t.Errorf("%q, %t", got, masked)
	}
	if m.Pseudonym("cus_alice") != "" {
		t.Error("a pseudonym without a key")
	}
}

func TestUnreadFieldsAreErased(t *testing.T) {
	for name, c := range map[string]struct{ masks, erased []string }{
		"the address":           {[]string{"/input/context/request/ip"}, []string{"/input/context/request/ip", "/requested_by"}},
		"the same, said else":   {[]string{"/requested_by"}, []string{"/input/context/request/ip", "/requested_by"}},
		"both":                  {[]string{"/requested_by", "/input/context/request/ip"}, []string{"/input/context/request/ip", "/requested_by"}},
		"an object":             {[]string{"/input/context/request"}, []string{"/input/context/request", "/requested_by"}},
		"an object and address": {[]string{"/input/context/request", "/requested_by"}, []string{"/input/context/request", "/requested_by"}},
		"a list and an id": {
			[]string{"/input/context/authentication/amr", "/input/resource/id"},
			[]string{"/input/context/authentication/amr", "/input/resource/id"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := openMasking(t, c.masks...)
			d := decide(t, e, sample())
			if diff := cmp.Diff(c.erased, d.Erased); diff != "" || d.Masked != nil {
				t.Error(diff, d.Masked)
			}
			for _, p := range c.erased {
				if strings.HasPrefix(p, "/input") && at(t, d.Input, p) != nil {
					t.Errorf("%s is in %s", p, d.Input)
				}
				if got, masked := e.Masked().Value(p, "x"); got != "" || !masked {
					t.Errorf("%s: %q, %t", p, got, masked)
				}
			}
			if at(t, d.Input, "/input/subject/id") != "cus_alice" {
				t.Errorf("too much is masked: %s", d.Input)
			}
		})
	}
	below := openMasking(t, "/input/context/request").Masked()
	if got, masked := below.Value("/input/context/request/id", "x"); got != "" || !masked {
		t.Error("what is within an erased object is kept")
	}
	// Neither is here: the resource is not named, and nobody's address is empty.
	d := decide(t, openMasking(t, "/input/resource/id", "/requested_by"), ask("points.read", people(nil)[1], columns[4]))
	if d.Erased != nil || at(t, d.Input, ipField) != "" {
		t.Errorf("erased %v of %s", d.Erased, d.Input)
	}
}

func TestComparedFieldsGetPseudonyms(t *testing.T) {
	paths := []string{"/input/resource/properties/owner", "/input/subject/id"}
	e := openMasking(t, paths...)
	m := e.Masked()
	alice := m.Pseudonym("cus_alice")
	if !strings.HasPrefix(alice, "pn_") || len(alice) != 25 || alice == m.Pseudonym("cus_bob") {
		t.Errorf("pseudonyms %q, %q", alice, m.Pseudonym("cus_bob"))
	}
	d := decide(t, e, sample())
	if diff := cmp.Diff(paths, d.Masked); diff != "" || d.Erased != nil {
		t.Error(diff, d.Erased)
	}
	for _, p := range paths {
		if got := at(t, d.Input, p); got != alice {
			t.Errorf("%s is %v in %s", p, got, d.Input)
		}
	}
	for _, p := range append(paths, related) {
		if got, masked := m.Value(p, "cus_alice"); got != alice || !masked {
			t.Errorf("%s: %q, %t", p, got, masked)
		}
	}
	nobody := sample()
	nobody.Resource.Owner = ""
	d = decide(t, e, nobody)
	if at(t, d.Input, paths[0]) != "" || !slices.Equal(d.Masked, paths[1:]) {
		t.Errorf("masked %v in %s", d.Masked, d.Input)
	}
	if got, masked := m.Value(paths[0], ""); got != "" || masked {
		t.Errorf("nobody: %q, %t", got, masked)
	}
}

func TestPseudonymsAreOfTheKeyAndTheValueAsItIsRecorded(t *testing.T) {
	other, err := Open(Embedded(), PseudonymKey(bytes.Repeat([]byte{8}, pseudonymKeySize)))
	if err != nil {
		t.Fatal(err)
	}
	m := openMasking(t).Masked()
	if p := m.Pseudonym("cus_alice"); p == "" || p == other.Masked().Pseudonym("cus_alice") {
		t.Errorf("%q is there under another key, or not at all", p)
	}
	if m.Pseudonym("a\xffb") != m.Pseudonym("a\uFFFDb") {
		t.Error("the input is made valid UTF-8, the pseudonym is of something else")
	}
	if _, err := Open(Embedded(), PseudonymKey(testKey[:31])); err == nil || !strings.Contains(err.Error(), "31 bytes") {
		t.Errorf("a short key: %v", err)
	}
}

// What no text is, is no name of anybody; and a pseudonym of it could not be
// compared with anything.
func TestNoPseudonymOfWhatIsNoText(t *testing.T) {
	m := &Mask{key: testKey}
	m.put("/input/context/facts/recipient_tenant", pseudonymous)
	r := sample()
	r.Context.Facts = Facts{"recipient_tenant": int64(7)}
	b, left, renamed := m.appendInput(nil, r.value())
	if at(t, b, "/input/context/facts/recipient_tenant") != nil || len(left) != 1 || renamed != nil {
		t.Errorf("left out %v, renamed %v in %s", left, renamed, b)
	}
}

func TestMaskedInputIsJSONWhereverAMemberIsLeftOut(t *testing.T) {
	full := fullRequest(t)
	for pointer := range properties() {
		if pointer == inputRoot {
			continue
		}
		m := &Mask{key: testKey}
		m.put(pointer, erased)
		b, left, _ := m.appendInput(nil, full)
		if !json.Valid(b) || len(left) == 0 || at(t, b, pointer) != nil {
			t.Errorf("%s: left out %v in %s", pointer, left, b)
		}
		if strings.ContainsAny(strings.TrimPrefix(pointer, inputRoot), "~ .") || strings.Count(pointer, "//") > 0 {
			t.Errorf("%s needs escapes in a JSON pointer, and masks know none", pointer)
		}
	}
}

func fullRequest(t *testing.T) ast.Value {
	t.Helper()
	r := sample()
	r.Subject.Roles, r.Context.Actor, r.Context.Bound, r.Context.Fault = []string{"viewer"}, "demo-gateway", "dpop", "invalid_token"
	r.Context.Facts = Facts{}
	for p := range maps.Keys(declared("/input/context/facts").Properties) {
		r.Context.Facts[p] = "x"
	}
	return r.value()
}

func TestMaskOfNothingCostsNothing(t *testing.T) {
	m := open(t, Embedded()).Masked()
	input, b := sample().value(), make([]byte, 0, 4096)
	plainly := testing.AllocsPerRun(100, func() { b = appendJSON(b[:0], input) })
	if got := testing.AllocsPerRun(100, func() { b, _, _ = m.appendInput(b[:0], input) }); got > plainly {
		t.Errorf("%v allocations for the input, %v without masks", got, plainly)
	}
	if got := testing.AllocsPerRun(100, func() { m.Value("/requested_by", "192.0.2.7") }); got != 0 {
		t.Errorf("%v allocations for a value", got)
	}
}

func TestLoadReplacesTheMaskWithTheRevision(t *testing.T) {
	e := openMasking(t)
	if err := e.Load(masking(t, "/requested_by")); err != nil {
		t.Fatal(err)
	}
	if err := e.Load(masking(t, "/input/action/name")); err == nil {
		t.Error("the name of the action is masked")
	}
	if got, masked := e.Value("/requested_by", "x"); got != "" || !masked || len(decide(t, e, sample()).Erased) == 0 {
		t.Error("a refused policy took away the mask")
	}
}

// TestMaskTwins: what a field holds that is masked stands nowhere else in a record.
func TestMaskTwins(t *testing.T) {
	for pointer, others := range map[string][]string{
		"/input/subject/id":           {"/custom/related", "/custom/asked_by", "/custom/operator"},
		"/input/resource/id":          {"/custom/replaced"},
		"/input/context/client/id":    {"/custom/shown_by"},
		"/input/context/client":       {"/custom/shown_by"},
		"/input/context/request/path": {"/custom/first_path"},
		"/input/context/request":      {"/custom/first_path", "/requested_by"},
	} {
		for as, want := range map[treatment]string{erased: "", pseudonymous: (&Mask{key: testKey}).Pseudonym("x")} {
			m := &Mask{key: testKey}
			m.put(pointer, as)
			for _, p := range others {
				if got, masked := m.Value(p, "x"); got != want || !masked {
					t.Errorf("%s under %s: %q, %t", p, pointer, got, masked)
				}
			}
			if got, masked := m.Value("/custom/reason", "x"); got != "x" || masked {
				t.Errorf("%s masks too much", pointer)
			}
		}
	}
	for field := range twins {
		if declared(field) == nil {
			t.Errorf("%s is no field of the input", field)
		}
	}
}
