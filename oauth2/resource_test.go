package oauth2

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
)

func TestCheckResource(t *testing.T) {
	uri := func(u string) func(*store.Resource) { return func(s *store.Resource) { s.URI = u } }
	for name, tc := range map[string]struct {
		edit func(*store.Resource)
		want []string
	}{
		"a good one":          {func(*store.Resource) {}, nil},
		"at the root":         {uri("https://mcp.example"), nil},
		"on this machine":     {uri("http://127.0.0.1:9092/mcp"), nil},
		"beside our API":      {uri("https://id.example/mcp"), nil},
		"a query":             {uri("https://mcp.example/?tenant=demo"), nil},
		"relative":            {uri("/mcp"), []string{"uri"}},
		"without a scheme":    {uri("mcp.example"), []string{"uri"}},
		"empty":               {uri(""), []string{"uri"}},
		"with a fragment":     {uri("https://mcp.example/#a"), []string{"uri"}},
		"with a user":         {uri("https://a@mcp.example/"), []string{"uri"}},
		"plain http":          {uri("http://mcp.example/"), []string{"uri"}},
		"a wildcard":          {uri("https://*.example/"), []string{"uri"}},
		"a scheme of its own": {uri("com.example.app:/mcp"), []string{"uri"}},
		"a URN":               {uri("urn:example:mcp"), []string{"uri"}},
		"too long":            {uri("https://mcp.example/" + strings.Repeat("a", 256)), []string{"uri"}},
		"our API":             {uri("https://id.example/api"), []string{"uri"}},
		"our API, nearly":     {uri("https://id.example/api/"), []string{"uri"}},
		"this server":         {uri("https://id.example/"), []string{"uri"}},
		"a short id":          {func(s *store.Resource) { s.ID = "a" }, []string{"id"}},
		"no name":             {func(s *store.Resource) { s.Name = "" }, []string{"name"}},
		"an unknown scope":    {func(s *store.Resource) { s.Scopes = store.Words{"points:read", "points:steal"} }, []string{"scopes"}},
		"no scope":            {func(s *store.Resource) { s.Scopes = nil }, []string{"scopes"}},
		"no scope of its own": {func(s *store.Resource) { s.Scopes = store.Words{"openid"} }, []string{"scopes"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &store.Resource{ID: "mcp", URI: "https://mcp.example/points", Name: "MCP", Scopes: store.Words{"points:read"}}
			tc.edit(s)
			var got []string
			for _, f := range CheckResource(&store.Tenant{Issuer: "https://id.example"}, s) {
				got = append(got, f.Field)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOtherSpelling(t *testing.T) {
	for uri, want := range map[string]string{
		"https://a.example":      "https://a.example/",
		"https://a.example/":     "https://a.example",
		"https://a.example/mcp":  "https://a.example/mcp",
		"https://a.example/mcp/": "https://a.example/mcp/",
		"https://a.example?a=b/": "https://a.example?a=b/",
		"https://a.example/?a=b": "https://a.example/?a=b",
		"":                       "/",
		"%":                      "%",
	} {
		if got := OtherSpelling(uri); got != want {
			t.Errorf("%q: %q, want %q", uri, got, want)
		}
	}
}
