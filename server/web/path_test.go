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
