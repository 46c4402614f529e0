package store

import (
	"context"
	"strings"
	"testing"
)

// TestListsOfDecisionsDoNotSort: each filter that is narrowed by alone is
// answered in the order of an index, however long the log is.
func TestListsOfDecisionsDoNotSort(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, f := range map[string]DecisionFilter{
		"newest": {}, "page": {Before: 100}, "tail": {Tail: true, After: 100},
		"subject": {Subject: "cus_a"}, "resource": {Resource: "cus_a"}, "request": {Request: "req_1"},
		"subject and action": {Subject: "cus_a", Action: "points.read"}, "code": {Code: "not_owner"},
	} {
		f.Tenant, f.Limit = "demo", 50
		query, args := f.query()
		rows, err := db.read.QueryxContext(ctx, `EXPLAIN QUERY PLAN `+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		for ; rows.Next(); steps++ {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(detail, "TEMP B-TREE") || strings.HasPrefix(detail, "SCAN") {
				t.Errorf("%s: %s", name, detail)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if steps == 0 {
			t.Errorf("%s: no plan", name)
		}
	}
}
