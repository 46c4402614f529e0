package web

import (
	"strings"
	"testing"
)

// TestNoTokenIsKeptOfAPath: whoever puts a token where it does not belong does
// not find it in the log and the records.
func TestNoTokenIsKeptOfAPath(t *testing.T) {
	token := "pga_" + strings.Repeat("a", 43) + "." + strings.Repeat("B", 43)
	for name, tc := range map[string]struct{ path, want string }{
		"an ordinary path":   {"/api/points/holds/hld_abc/capture", "/api/points/holds/hld_abc/capture"},
		"an access token":    {"/api/points/holds/" + token + "/capture", "/api/points/holds/pga_…/capture"},
		"an API token":       {"/x/pgt_" + strings.Repeat("7", 65), "/x/pgt_…"},
		"a token at the end": {"/" + strings.Repeat("x", 240) + "/" + token, "/" + strings.Repeat("x", 240) + "/pga_…"},
		"a JWT":              {"/x/eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl_-/y", "/x/eyJ…/y"},
		"not UTF-8":          {"/a\xff", "/a\uFFFD"},
	} {
		t.Run(name, func(t *testing.T) {
			got := SafePath(tc.path)
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestID(t *testing.T) {
	for sent, want := range map[string]string{
		"": "", "cus_alice": "cus_alice", "0197-a.b~c_D": "0197-a.b~c_D", strings.Repeat("a", 128): strings.Repeat("a", 128),
		strings.Repeat("a", 129): noID, "a b": noID, "a\n": noID, "a\x00": noID, "\xff": noID, "стол": noID, "' OR 1=1 --": noID, "../x": noID, noID: noID,
	} {
		if got := ID(sent); got != want {
			t.Errorf("%q: %q, want %q", sent, got, want)
		}
	}
	if IDPattern.MatchString(noID) {
		t.Error("something can have the id of nothing")
	}
}
