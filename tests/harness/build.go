package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var folder = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "pointgate-tests-") })

// Binary builds the program, once for each test run, and returns its path.
var Binary = sync.OnceValues(func() (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "pointgate")
	var flags []string
	if race {
		flags = append(flags, "-race")
	}
	return path, Build(path, flags...)
})

// Build builds the program to path with more flags of the go command.
func Build(path string, flags ...string) error {
	args := append([]string{"build", "-o", path}, flags...)
	out, err := exec.Command("go", append(args, "github.com/pointgate/pointgate/cmd/pointgate")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("the program does not build: %w\n%s", err, out)
	}
	return nil
}

// Main runs a package's tests and removes the binary behind them.
func Main(m *testing.M) {
	code := m.Run()
	if dir, err := folder(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}
