package policies

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
)

var update = flag.Bool("update", false, "rewrite testdata/matrix.txt and docs/policy-reference.md")

// golden compares got with the file, or makes it the file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what the policy says; if the change is wanted, run the test with -update (-file +policy):\n%s", name, diff)
	}
}

// deciding is a rule that decides: who may do an action, or why it is denied.
type deciding struct {
	file, folder, title, description, code string
}

// decidingRules finds the rules by what they do, not by their annotations:
// those named "allow" outside of main.rego, those that make a denial, and those
// that raise an alert.
func decidingRules(t *testing.T) (out []deciding) {
	for _, f := range regoFiles(t, false) {
		m, err := parseModule(f)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, r := range m.Rules {
			name := r.Head.Ref().String()
			permits := name == "allow" && f.path != "main.rego"
			if seen[name] || !permits && !callsMetadata(r) {
				continue
			}
			seen[name] = true
			d := deciding{file: f.path, folder: path.Dir(f.path)}
			if len(r.Annotations) > 0 {
				a := r.Annotations[0]
				d.title, d.description = a.Title, a.Description
				d.code, _ = a.Custom["code"].(string)
			}
			out = append(out, d)
		}
	}
	return out
}

func callsMetadata(r *ast.Rule) bool {
	return strings.Contains(r.String(), ast.RegoMetadataChain.Name) || strings.Contains(r.String(), ast.RegoMetadataRule.Name)
}

func TestDecidingRulesHaveMetadata(t *testing.T) {
	owner := map[string]string{}
	for _, d := range decidingRules(t) {
		if d.title == "" || d.description == "" || d.code == "" {
			t.Errorf("%s: a deciding rule lacks title, description or custom.code: %+v", d.file, d)
		}
		if before, twice := owner[d.code]; twice {
			t.Errorf("%s and %s have the code %q", before, d.file, d.code)
		}
		owner[d.code] = d.file
	}
}

func TestReferencePageIsCurrent(t *testing.T) {
	rules := decidingRules(t)
	slices.SortFunc(rules, func(a, b deciding) int { return strings.Compare(a.file+a.code, b.file+b.code) })
	var page bytes.Buffer
	page.WriteString("# The default policy\n\nMade from the METADATA of policies/rego; a test keeps it current.\n")
	section(&page, "Why a request is denied", rules, func(d deciding) bool { return strings.HasPrefix(d.folder, "lib/") })
	section(&page, "Who may do what with points", rules, func(d deciding) bool { return strings.HasPrefix(d.folder, "points/") })
	section(&page, "Who gets a token", rules, func(d deciding) bool { return strings.HasPrefix(d.folder, "oauth/") })
	section(&page, "Who may administer", rules, func(d deciding) bool { return strings.HasPrefix(d.folder, "admin/") })
	section(&page, "What the program does itself", rules, func(d deciding) bool { return strings.HasPrefix(d.folder, "system/") })
	section(&page, "What raises an alert", rules, func(d deciding) bool { return strings.HasPrefix(d.folder, "alerts/") })
	for _, d := range rules {
		if !strings.Contains(page.String(), "`"+d.code+"`") {
			t.Errorf("%s is in no section of the page", d.file)
		}
	}
	golden(t, "../docs/policy-reference.md", page.Bytes())
}

func section(page *bytes.Buffer, title string, rules []deciding, in func(deciding) bool) {
	fmt.Fprintf(page, "\n## %s\n\n| code | rule | what it says | file |\n|---|---|---|---|\n", title)
	for _, d := range rules {
		if in(d) {
			fmt.Fprintf(page, "| `%s` | %s | %s | `policies/rego/%s` |\n", d.code, d.title, strings.TrimSpace(d.description), d.file)
		}
	}
}
