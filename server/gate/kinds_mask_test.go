package gate_test

import (
	"bytes"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/gate"
)

// harmless are the texts in custom that tell of no person, client, address or
// path of a request, each with what it holds. A new member of a kind stands here
// or is a twin of a field that can be masked (policies/mask_rules.go).
var harmless = map[string]string{
	"alg":         "of a key",
	"amr":         "ways to sign in",
	"asked":       "scopes",
	"decisions":   "ids of records",
	"digest":      "of a file",
	"erasure":     "the id of a record",
	"file":        "the name of a backup",
	"fingerprint": "of a key",
	"first":       "a finding of ours, about an index",
	"from":        "an issuer",
	"issuer":      "the tenant's",
	"previous":    "a digest, a fingerprint, or keys of the log",
	"reason":      "why staff asked, in words meant for the log, or one of three words of ours",
	"revision":    "a policy",
	"root":        "of a tree",
	"rule":        "of an alert",
	"settings":    "a digest",
	"severity":    "of an alert",
	"to":          "an issuer",
	"token_type":  "one of three words",
	"unknown":     "four digits that fit one string in 65,536",
	"verifier":    "a key of the log",
	"version":     "of the program",

	"previous_origin": "of the log",
	"published.note":  "a checkpoint",
	"published.place": "of checkpoints, as the operator set it",
	"published.why":   "a checkpoint was refused",
}

// TestEveryTextOfAKindIsMaskedOrHarmless holds all kinds against the masks, so
// that a mask can't be got around by a member that somebody adds.
func TestEveryTextOfAKindIsMaskedOrHarmless(t *testing.T) {
	mask := maskOfAll(t)
	seen := map[string]bool{}
	for _, what := range gate.Kinds() {
		for _, name := range texts(reflect.TypeOf(what)) {
			seen[name] = true
			_, masked := mask.Value("/custom/"+name, "x")
			if why := harmless[name]; masked == (why != "") {
				t.Errorf("%T: custom.%s is masked: %t, and harmless as %q", what, name, masked, why)
			}
		}
	}
	for name := range harmless {
		if !seen[name] {
			t.Errorf("no kind has %s", name)
		}
	}
	for _, name := range []string{"related", "asked_by", "shown_by", "first_path", "operator", "replaced"} {
		if _, masked := mask.Value("/custom/"+name, "x"); !masked {
			t.Errorf("custom.%s is not masked", name)
		}
	}
}

// maskOfAll masks what names a person, a client, an address or a path, by the
// rules of the default policy.
func maskOfAll(t *testing.T) gate.Mask {
	t.Helper()
	bundle := fstest.MapFS{}
	err := fs.WalkDir(policies.Embedded(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(policies.Embedded(), path)
		bundle[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	bundle["mask.rego"] = &fstest.MapFile{Data: []byte(`package pointgate

mask := {{"path": p} | some p in [
	"/input/subject/id", "/input/resource/id", "/input/resource/properties/owner",
	"/input/context/client/id", "/input/context/request",
]}
`)}
	engine, err := policies.Open(bundle, policies.PseudonymKey(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// texts are the members of a type that hold text, as they are named in JSON;
// those of an inner object behind a dot.
func texts(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		switch {
		case name == "-" || inner == reflect.TypeFor[time.Time]():
		case name == "":
			names = append(names, f.Name+" without a name")
		case inner.Kind() == reflect.Struct:
			for _, n := range texts(inner) {
				names = append(names, name+"."+n)
			}
		case inner.Kind() == reflect.String:
			names = append(names, name)
		case inner.Kind() == reflect.Map || inner.Kind() == reflect.Interface:
			names = append(names, name+" of any shape")
		}
	}
	return names
}
