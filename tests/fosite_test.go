package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	trapRow   = regexp.MustCompile(`(?m)^\| (\d+) \|.*\|$`)
	namedTest = regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)\\w+)`")
)

// TestEveryTrapOfFositeIsShown: docs/fosite.md has a row for each, and each row
// names tests that exist.
func TestEveryTrapOfFositeIsShown(t *testing.T) {
	const traps = 26
	rows := trapRow.FindAllStringSubmatch(string(must(os.ReadFile("../docs/fosite.md"))(t)), -1)
	if len(rows) != traps {
		t.Fatalf("%d rows, want %d", len(rows), traps)
	}
	for i, row := range rows {
		if row[1] != strconv.Itoa(i+1) {
			t.Errorf("row %s stands where %d belongs", row[1], i+1)
		}
		named := namedTest.FindAllStringSubmatch(row[0], -1)
		if len(named) == 0 {
			t.Errorf("row %s names no test", row[1])
		}
		for _, n := range named {
			if !hasTest(t, n[1], n[2]) {
				t.Errorf("row %s: there is no %s in %s", row[1], n[2], n[1])
			}
		}
	}
}

// hasTest looks for the function in the folder's tests.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	for _, file := range must(filepath.Glob(filepath.Join("..", folder, "*_test.go")))(t) {
		if strings.Contains(string(must(os.ReadFile(file))(t)), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
