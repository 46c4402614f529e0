package tests

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var problemRow = regexp.MustCompile(`(?m)^\t"(\w+)":\s+\{\d{3}, `)

// TestEveryProblemCodeIsDocumented wants each code of the table in problem.go in
// the OpenAPI document's enum and in the page for developers.
func TestEveryProblemCodeIsDocumented(t *testing.T) {
	document, page := string(must(os.ReadFile("../server/openapi.yaml"))(t)), string(must(os.ReadFile("../docs/developers.md"))(t))
	_, enum, found := strings.Cut(document, "enum:\n            [invalid_request,")
	enum, _, closed := strings.Cut(enum, "]")
	if !found || !closed {
		t.Fatal("openapi.yaml has no enum of codes where it is looked for")
	}
	listed := map[string]bool{"invalid_request": true}
	for _, code := range strings.FieldsFunc(enum, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		listed[code] = true
	}
	rows := problemRow.FindAllStringSubmatch(string(must(os.ReadFile("../server/web/problem.go"))(t)), -1)
	if len(rows) != len(listed) {
		t.Errorf("problem.go has %d codes, openapi.yaml %d", len(rows), len(listed))
	}
	for _, row := range rows {
		if !listed[row[1]] {
			t.Errorf("openapi.yaml does not list %s", row[1])
		}
		if !strings.Contains(page, "`"+row[1]+"`") {
			t.Errorf("developers.md does not tell of %s", row[1])
		}
	}
}
