package tests

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/pointgate/pointgate"

// mayImport is who imports whom of our own packages: downward only, and exactly
// that. A package that has no line is new, and has to find its place here; a
// permission that nobody uses any more has to go.
var mayImport = map[string][]string{
	"cmd/pointgate":        {"server", "server/audit", "server/authn", "server/egress", "server/mail", "server/web", "oauth2", "policies", "store", "store/trail"},
	"cmd/pointgate-verify": {},
	"server":               {"server/admin", "server/alerts", "server/audit", "server/authn", "server/edge", "server/egress", "server/gate", "server/mail", "server/oauth", "server/pages", "server/points", "server/web", "oauth2", "policies", "store"},
	"server/admin":         {"server/authn", "server/gate", "server/web", "oauth2", "policies", "store"},
	"server/alerts":        {"server/gate", "policies", "store"},
	"server/audit":         {"server/gate", "server/web", "store", "store/trail"},
	"server/edge":          {"server/gate", "server/web", "store"},
	"server/egress":        {},
	"server/mail":          {"server/web", "store"},
	"server/oauth":         {"server/gate", "server/web", "oauth2", "policies", "store"},
	"server/pages":         {"server/authn", "server/gate", "server/web", "oauth2", "policies", "store"},
	"server/points":        {"server/gate", "server/web", "policies", "store"},
	"server/authn":         {"server/web", "oauth2", "store"},
	"server/gate":          {"server/web", "policies", "store"},
	"server/web":           {"store"},
	"oauth2":               {"store"},
	"oauth2/jwttest":       {},
	"policies":             {},
	"store":                {"store/trail"},
	"store/trail":          {},
	"store/storetest":      {"store"},
	"tests/harness":        {},
	"tests/bench":          {"store", "tests/harness"},
	"tests":                {},
}

// onlyIn is where a library may be imported, by the beginning of its path.
var onlyIn = map[string]string{
	"github.com/gofiber/fiber":             "server",
	"github.com/valyala/fasthttp":          "server",
	"github.com/ory/":                      "oauth2",
	"github.com/open-policy-agent/":        "policies",
	"database/sql":                         "store",
	"github.com/jmoiron/sqlx":              "store",
	"github.com/mattn/go-sqlite3":          "store",
	"github.com/jackc/pgx":                 "store",
	"github.com/pressly/goose":             "store",
	"github.com/spf13/":                    "cmd",
	"github.com/alexedwards/argon2id":      "server/authn",
	"github.com/prometheus/":               "cmd",
	"github.com/wneessen/go-mail":          "server/mail",
	"go.opentelemetry.io/otel/propagation": "server",
	"go.opentelemetry.io/otel/sdk":         "cmd",
	"go.opentelemetry.io/otel/exporters":   "cmd",
	"go.opentelemetry.io/proto/otlp":       "server/audit",
}

// exceptions are imports that onlyIn forbids, with the reason.
var exceptions = map[string]string{
	"tests/bench github.com/gofiber/fiber/v2": "the bare handler that the bench compares with",
}

// aPackage is what `go list -json` says of a package.
type aPackage struct {
	ImportPath, Dir, Doc string
	GoFiles, Imports     []string
}

// in is the package's place in the house.
func (p aPackage) in() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func packages(t *testing.T) []aPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Dir = ".."
	d := json.NewDecoder(bytes.NewReader(must(cmd.Output())(t)))
	var all []aPackage
	for d.More() {
		var p aPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages", len(all))
	}
	return all
}

func TestHouseImportsGoDownward(t *testing.T) {
	for _, p := range packages(t) {
		allowed, known := mayImport[p.in()]
		if !known {
			t.Errorf("%s has no place in mayImport", p.in())
			continue
		}
		for _, imported := range p.Imports {
			if ours, is := strings.CutPrefix(imported, module+"/"); is && !slices.Contains(allowed, ours) {
				t.Errorf("%s may not import %s", p.in(), ours)
			}
		}
		for _, ours := range allowed {
			if !slices.Contains(p.Imports, module+"/"+ours) {
				t.Errorf("%s may import %s, and does not: take the permission back", p.in(), ours)
			}
		}
	}
}

func TestHouseLibrariesStayInTheirRooms(t *testing.T) {
	used := map[string]bool{}
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			for library, room := range onlyIn {
				if !strings.HasPrefix(imported, library) {
					continue
				}
				excepted := p.in() + " " + imported
				used[library], used[excepted] = true, true
				if !within(p.in(), room) && exceptions[excepted] == "" {
					t.Errorf("%s imports %s, which belongs to %s", p.in(), imported, room)
				}
			}
		}
	}
	for _, named := range slices.Concat(slices.Collect(maps.Keys(onlyIn)), slices.Collect(maps.Keys(exceptions))) {
		if !used[named] {
			t.Errorf("%q is in the lists, and nobody imports it so", named)
		}
	}
}

// within reports whether a folder is the room, or in it.
func within(folder, room string) bool {
	return folder == room || strings.HasPrefix(folder, room+"/")
}

func TestHousePackagesSayWhatTheyAreFor(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.in())
		}
		if !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go", p.in())
		}
	}
}

func TestHouseHasNoAttic(t *testing.T) {
	forbidden := []string{"internal", "pkg", "util", "utils", "common", "models", "manager", "helpers"}
	top := []string{"cmd", "server", "policies", "oauth2", "store", "tests", "docs"}
	eachFile(t, "..", func(path string) {
		folder, name := filepath.Split(path)
		for _, f := range strings.Split(filepath.ToSlash(folder), "/") {
			if slices.Contains(forbidden, f) {
				t.Errorf("%s lies in a folder called %s", path, f)
			}
		}
		if strings.HasSuffix(name, ".go") && (folder == "" || !slices.Contains(top, strings.Split(filepath.ToSlash(folder), "/")[0])) {
			t.Errorf("%s lies outside the rooms", path)
		}
	})
}

const (
	mostFileLines     = 400
	mostFunctionLines = 80
)

func TestHouseFilesAndFunctionsAreShort(t *testing.T) {
	eachFile(t, "..", func(path string) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, filepath.Join("..", path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if n := files.Position(f.End()).Line; n > mostFileLines {
			t.Errorf("%s has %d lines", path, n)
		}
		for _, d := range f.Decls {
			if d, is := d.(*ast.FuncDecl); is {
				if n := files.Position(d.End()).Line - files.Position(d.Pos()).Line + 1; n > mostFunctionLines {
					t.Errorf("%s: %s has %d lines", path, d.Name.Name, n)
				}
			}
		}
	})
}

// TestHouseDependenciesAreExplained wants a line in docs/dependencies.md for each
// module that go.mod requires directly, and no line for one that is gone.
func TestHouseDependenciesAreExplained(t *testing.T) {
	page := string(must(os.ReadFile("../docs/dependencies.md"))(t))
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = ".."
	type module struct {
		Path     string
		Indirect bool
	}
	var mod struct{ Require []module }
	if err := json.Unmarshal(must(cmd.Output())(t), &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !r.Indirect && !strings.Contains(page, "`"+r.Path+"`") {
			t.Errorf("docs/dependencies.md does not say why %s is here", r.Path)
		}
	}
	for line := range strings.Lines(page) {
		name, is := strings.CutPrefix(line, "| `")
		name, _, _ = strings.Cut(name, "`")
		if is && !slices.ContainsFunc(mod.Require, func(r module) bool { return r.Path == name }) {
			t.Errorf("docs/dependencies.md speaks of %s, which go.mod does not require", name)
		}
	}
}

// eachFile calls f with each file of the repository that is ours.
func eachFile(t *testing.T, root string, f func(path string)) {
	t.Helper()
	skip := []string{".git", "node_modules", "bin", "data"}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && slices.Contains(skip, d.Name()) {
				return filepath.SkipDir
			}
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err == nil {
			f(rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
