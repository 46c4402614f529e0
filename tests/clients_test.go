package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/tests/harness"
)

// TestClients runs the OAuth2 libraries of other people against the program, each
// as it comes from the registry: clients/<library>.test.js says what is done with it.
func TestClients(t *testing.T) {
	libraries(t)
	s := harness.Start(t, harness.Options{})
	files := must(filepath.Glob("clients/*.test.js"))(t)
	if len(files) == 0 {
		t.Fatal("there is no library to run")
	}
	t.Run("", func(t *testing.T) { // ends when all of them have
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".test.js"), func(t *testing.T) {
				t.Parallel()
				runNode(t, file, "POINTGATE_URL="+s.URL, "POINTGATE_TOKEN="+s.Demo.AdminToken)
			})
		}
	})
}

// runNode runs a script of clients/, which fails by its exit code.
func runNode(t *testing.T, file string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "--test-reporter=spec", filepath.Base(file))
	cmd.Dir, cmd.Env = "clients", append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// libraries skips a test where node or the libraries are missing, and fails it
// with CI=true.
func libraries(t *testing.T) {
	t.Helper()
	missing := ""
	if _, err := exec.LookPath("node"); err != nil {
		missing = "no node"
	} else if _, err := os.Stat("clients/node_modules/.package-lock.json"); err != nil {
		missing = "no client libraries (make clients)"
	}
	switch {
	case missing != "" && os.Getenv("CI") == "true":
		t.Fatal(missing + ", and CI=true")
	case missing != "":
		t.Skip("skipped: " + missing)
	}
}
