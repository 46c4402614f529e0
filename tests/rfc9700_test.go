package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// proofs are how many numbers there are of each kind. Each is a requirement, with
// a test of its own.
var proofs = map[string]int{"A": 21, "T": 30, "I": 8, "R": 10, "P": 9, "D": 17, "V": 10, "M": 7, "S": 9}

var (
	subtest  = regexp.MustCompile(`"([A-Z]\d+) [^"]*"`)
	numbered = regexp.MustCompile(`\b[ATIRPDVMS]\d+\b`)
	lineOf   = regexp.MustCompile(`(?m)^\| (\d[^|]*) \|.*\|$`)
)

// TestEveryNumberHasItsTest: none is forgotten.
func TestEveryNumberHasItsTest(t *testing.T) {
	tested := numbers(t)
	for kind, n := range proofs {
		for i := range n {
			if number := fmt.Sprint(kind, i+1); !tested[number] {
				t.Errorf("no test is called %s", number)
			}
		}
	}
}

// numbers are those that subtests of this folder begin with.
func numbers(t *testing.T) map[string]bool {
	t.Helper()
	tested := map[string]bool{}
	for _, file := range must(filepath.Glob("oauth_*_test.go"))(t) {
		for _, m := range subtest.FindAllStringSubmatch(string(must(os.ReadFile(file))(t)), -1) {
			tested[m[1]] = true
		}
	}
	return tested
}

// TestEveryLineOfRFC9700IsShown: docs/rfc9700.md has a line for each section with
// advice for servers, and each line names tests that exist.
func TestEveryLineOfRFC9700IsShown(t *testing.T) {
	sections := strings.Fields("2.1 2.1.1 2.1.2 2.2.1 2.2.2 2.3 2.4 2.5 2.6 4.1 4.2 4.3 4.4 4.5 4.6 4.7 4.8 4.9 4.10 4.11 4.12 4.13 4.14 4.15 4.16 4.17")
	tested, spoken := numbers(t), []string{}
	for _, line := range lineOf.FindAllStringSubmatch(string(must(os.ReadFile("../docs/rfc9700.md"))(t)), -1) {
		for s := range strings.SplitSeq(line[1], ", ") {
			spoken = append(spoken, s)
			if parts := strings.Split(s, "."); len(parts) == 3 && parts[0] == "4" {
				spoken = append(spoken, parts[0]+"."+parts[1])
			}
		}
		cells := strings.Split(line[0], "|")
		shown := cells[len(cells)-2]
		byNumber, byName := numbered.FindAllString(namedTest.ReplaceAllString(shown, ""), -1), namedTest.FindAllStringSubmatch(shown, -1)
		if len(byNumber)+len(byName) == 0 {
			t.Errorf("no test is named: %s", line[0])
		}
		for _, n := range byNumber {
			if !tested[n] {
				t.Errorf("there is no test %s: %s", n, line[0])
			}
		}
		for _, n := range byName {
			if !hasTest(t, n[1], n[2]) {
				t.Errorf("there is no %s in %s", n[2], n[1])
			}
		}
	}
	for _, s := range sections {
		if !slices.Contains(spoken, s) {
			t.Errorf("nothing is said of section %s", s)
		}
	}
}
