package authn_test

import (
	"context"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestUsesOfGrants(t *testing.T) {
	const other = "http://mcp.example"
	good := oauth2.Token{Tenant: "demo", Audience: "http://demo.localhost/api", SubjectType: "customer", Status: oauth2.Valid}
	for name, tc := range map[string]struct {
		edit  func(t *oauth2.Token)
		noted bool
	}{
		"the first":               {func(*oauth2.Token) {}, true},
		"after a minute":          {func(t *oauth2.Token) { t.LastUsedAt = time.Date(2026, 11, 22, 8, 58, 59, 0, time.UTC) }, true},
		"within a minute":         {func(t *oauth2.Token) { t.LastUsedAt = time.Date(2026, 11, 22, 8, 59, 30, 0, time.UTC) }, false},
		"expired":                 {func(t *oauth2.Token) { t.Status = oauth2.Expired }, false},
		"revoked":                 {func(t *oauth2.Token) { t.Status = oauth2.Revoked }, false},
		"for another server":      {func(t *oauth2.Token) { t.Audience = other }, false},
		"of another tenant":       {func(t *oauth2.Token) { t.Tenant = "other" }, false},
		"a client's own":          {func(t *oauth2.Token) { t.SubjectType = "client" }, false},
		"bound, without a proof":  {func(t *oauth2.Token) { t.Cnf = "dpop:somebody" }, false},
		"a member of staff's own": {func(t *oauth2.Token) { t.SubjectType = "staff" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			storetest.Grant(t, e.db, store.Grant{ID: "grt_1", ClientID: "web", Subject: "cus_alice"})
			token := good
			token.GrantID = "grt_1"
			tc.edit(&token)
			e.tokens["pga_it"] = &token
			e.ask("/api", "Authorization", "Bearer pga_it")
			g, err := store.GetGrant(context.Background(), e.db, "demo", "grt_1")
			if err != nil {
				t.Fatal(err)
			}
			if noted := g.LastUsedAt.Equal(e.now) && g.LastIP == "192.0.2.1"; noted != tc.noted {
				t.Errorf("noted: %v from %q, want %v", g.LastUsedAt, g.LastIP, tc.noted)
			}
		})
	}
}
