package policies

import (
	"context"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/tester"
)

// regoFiles are all modules of the default policy; tests too, if wanted.
func regoFiles(t testing.TB, tests bool) []file {
	t.Helper()
	var out []file
	err := fs.WalkDir(Embedded(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(p, ".rego") || !tests && strings.HasSuffix(p, "_test.rego") {
			return err
		}
		content, err := fs.ReadFile(Embedded(), p)
		out = append(out, file{p, content})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func regoModules(t testing.TB, tests bool) map[string]*ast.Module {
	t.Helper()
	out := map[string]*ast.Module{}
	for _, f := range regoFiles(t, tests) {
		m, err := parseModule(f)
		if err != nil {
			t.Fatal(err)
		}
		out[f.path] = m
	}
	return out
}

// Each side of the policy is tested by itself, as it is compiled.
func TestRegoTestsPassAndCoverEachLine(t *testing.T) {
	for name, schema := range map[string][]byte{"deciding": inputSchema, "alerting": alertSchema} {
		t.Run(name, func(t *testing.T) {
			of := func(tests bool) map[string]*ast.Module {
				modules := regoModules(t, tests)
				maps.DeleteFunc(modules, func(path string, _ *ast.Module) bool {
					return strings.HasPrefix(path, "alerts/") != (name == "alerting")
				})
				return modules
			}
			regoTestsPass(t, schema, of(true), of(false))
		})
	}
}

func regoTestsPass(t *testing.T, schema []byte, all, covered map[string]*ast.Module) {
	e := open(t, Embedded())
	coverage, ctx := cover.New(), context.Background()
	compiler, err := compilerFor(schema)
	if err != nil {
		t.Fatal(err)
	}
	var passed int
	err = storage.Txn(ctx, e.current.Load().store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := tester.NewRunner().SetCompiler(compiler).SetStore(e.current.Load().store).
			SetModules(all).SetCoverageQueryTracer(coverage).RaiseBuiltinErrors(true).
			CapturePrintOutput(false).RunTests(ctx, txn)
		if err != nil {
			return err
		}
		for r := range results {
			if !r.Pass() {
				t.Errorf("%s: %s %v", r.Location, r, r.Error)
			}
			passed++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if passed == 0 {
		t.Fatal("no Rego test ran")
	}
	report := coverage.Report(covered)
	for name, f := range report.Files {
		for _, r := range f.NotCovered {
			t.Errorf("%s:%d is not covered by a Rego test", name, r.Start.Row)
		}
	}
}

func TestRegoIsFormatted(t *testing.T) {
	for _, f := range regoFiles(t, true) {
		want, err := format.Source(f.path, f.content)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(f.content)); diff != "" {
			t.Errorf("%s (-formatted +is):\n%s", f.path, diff)
		}
	}
}

func TestRegoPackageIsItsFolder(t *testing.T) {
	for name, m := range regoModules(t, true) {
		folder := strings.Split(name, "/")
		want := strings.Join(append([]string{"data", "pointgate"}, folder[:len(folder)-1]...), ".")
		if strings.HasSuffix(name, "_test.rego") {
			want += "_test"
		}
		if got := m.Package.Path.String(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
