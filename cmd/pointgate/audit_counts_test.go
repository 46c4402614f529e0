package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAuditCounts(t *testing.T) {
	newInstallation(t)
	for range 3 {
		want(t, exitDone, "client", "list")
	}
	lines := strings.Split(strings.TrimSpace(want(t, exitDone, "audit", "counts", "--by", "action", "--action", "client.list", "--step", "day").out), "\n")
	total := 0
	for i, line := range lines {
		words := strings.Fields(line)
		if i == 0 {
			if got := strings.Join(words, " "); got != "BEGINS VALUE ALLOWED DENIED" {
				t.Errorf("the table begins with %q", got)
			}
			continue
		}
		if len(words) != 4 || words[1] != "client.list" || words[3] != "0" {
			t.Fatalf("line %q", line)
		}
		total += len(words[2])
		if words[2] != "3" && len(lines) == 2 { // else midnight has come between
			t.Errorf("line %q, want 3 allowed", line)
		}
	}
	if total == 0 {
		t.Errorf("no counts: %q", lines)
	}
	var l struct{ Data []struct{ Value *string } }
	if err := json.Unmarshal([]byte(want(t, exitDone, "audit", "counts", "--by", "rule", "--allow", "--output", "json").out), &l); err != nil || len(l.Data) == 0 || l.Data[0].Value != nil {
		t.Errorf("by rule: %+v, %v", l, err)
	}
	want(t, exitUsage, "audit", "counts")
	if o := want(t, exitRefused, "audit", "counts", "--by", "weather"); !strings.Contains(o.err, "by: ") {
		t.Errorf("it says %q", o.err)
	}
}
