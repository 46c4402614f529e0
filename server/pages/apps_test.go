package pages_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestAppsAreCards: one for each app, however often it was allowed, with all
// that it may; disconnecting it ends that, and leaves the others alone.
func TestAppsAreCards(t *testing.T) {
	ctx := context.Background()
	e := newEnv(t)
	e.user("cus_alice")
	e.user("cus_bob")
	for _, id := range []string{"one", "two", "three"} {
		storetest.Client(t, e.db, "demo", id, func(c *store.Client) { c.Name = "App " + id })
	}
	api := store.Words{e.tenant.Resource()}
	day := func(n int) store.Time { return store.At(e.now.Add(-time.Duration(n) * 24 * time.Hour)) }
	for _, g := range []store.Grant{
		{ID: "grt_1", ClientID: "one", Subject: "cus_alice", Scopes: store.Words{"points:read"}, Audience: api, CreatedAt: day(3)},
		{ID: "grt_2", ClientID: "one", Subject: "cus_alice", Scopes: store.Words{"points:write"}, Audience: api, CreatedAt: day(2), LastUsedAt: day(1), LastIP: "192.0.2.77"},
		{ID: "grt_3", ClientID: "one", Subject: "cus_alice", Scopes: store.Words{"points:read"}, Audience: store.Words{"https://mcp.example"}, CreatedAt: day(1)},
		{ID: "grt_4", ClientID: "one", Subject: "cus_bob", Audience: api},
		{ID: "grt_5", ClientID: "two", Subject: "cus_alice", Audience: api},
		{ID: "grt_6", ClientID: "two", Subject: "cus_alice", Audience: api, ParentID: "grt_1"},
	} {
		storetest.Grant(t, e.db, g)
	}
	storetest.Write(t, e.db, func(tx *store.Tx) error {
		if err := tx.InsertResource(ctx, &store.Resource{
			Tenant: "demo", ID: "mcp", URI: "https://mcp.example", Name: "Points for assistants", Scopes: store.Words{"points:read"}, CreatedAt: day(9),
		}); err != nil {
			return err
		}
		for _, client := range []string{"one", "three"} {
			c := store.Consent{Tenant: "demo", UserID: "cus_alice", ClientID: client, Scopes: store.Words{"points:read"}}
			if err := tx.Remember(ctx, &c, nil); err != nil {
				return err
			}
		}
		return nil
	})
	alice := e.browser()
	alice.login("cus_alice@demo.example")
	r := alice.get("/account/apps")
	if n := strings.Count(r.body, `action="/account/apps/revoke"`); n != 3 {
		t.Errorf("%d cards, want 3:\n%s", n, r.body)
	}
	r.shows(t, "App one", "It may", "see your points and their history", "spend points for you", "At Points for assistants it may",
		"19 November 2026", "21 November 2026, 09:00 UTC", "192.0.2.77", "App two", "not yet", "App three", "no access, until you open it again")

	f := r.fields()
	f.Set("client", "one")
	for range 2 { // twice is as good as once
		r = alice.post("/account/apps/revoke", f)
		r.is(t, http.StatusSeeOther, "/account/apps?done=revoked")
	}
	records, err := store.Grants(ctx, e.db, store.GrantFilter{Tenant: "demo", LiveAt: store.At(e.now), Limit: 20})
	must(t, err)
	var live []string
	for _, g := range records {
		live = append(live, g.ID)
	}
	if got := strings.Join(live, " "); got != "grt_5 grt_4" && got != "grt_4 grt_5" {
		t.Errorf("live are %s: want those of another app and another person, without what was exchanged", got)
	}
	r = alice.get("/account/apps")
	if strings.Contains(r.body, "App one") || !strings.Contains(r.body, "App two") || !strings.Contains(r.body, "App three") {
		t.Errorf("the wrong ones are shown:\n%s", r.body)
	}
	f.Set("client", "three")
	alice.post("/account/apps/revoke", f).is(t, http.StatusSeeOther, "/account/apps?done=revoked")
	if strings.Contains(alice.get("/account/apps").body, "App three") {
		t.Error("what is remembered can't be taken back")
	}
}

// TestTheRecordOfADisconnectionNamesWhatEnded.
func TestTheRecordOfADisconnectionNamesWhatEnded(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	storetest.Client(t, e.db, "demo", "one", nil)
	storetest.Grant(t, e.db, store.Grant{ID: "grt_1", ClientID: "one", Subject: "cus_alice"})
	storetest.Grant(t, e.db, store.Grant{ID: "grt_2", ClientID: "one", Subject: "cus_alice"})
	alice := e.browser()
	alice.login("cus_alice@demo.example")
	f := alice.get("/account/apps").fields()
	rec, err := e.db.Decision(context.Background(), "demo", alice.post("/account/apps/revoke", f).Header.Get("X-Decision-Id"))
	must(t, err)
	if rec.Action != "grant.revoke" || rec.Resource != "one" || !rec.Allow || !strings.Contains(string(rec.Body), `"grt_1"`) || !strings.Contains(string(rec.Body), `"grt_2"`) {
		t.Errorf("recorded is %s", rec.Body)
	}
}

// TestConsentMarksWhatIsNew to an app that had something before, and nothing to
// one that had not.
func TestConsentMarksWhatIsNew(t *testing.T) {
	e := newEnv(t)
	storetest.Client(t, e.db, "demo", "web", func(c *store.Client) { c.RedirectURIs = store.Words{callback} })
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	const mark = `<span class="badge">New</span>`
	r := b.get("/consent?flow=" + b.flow("cus_alice"))
	if strings.Contains(r.body, mark) {
		t.Error("all is new to everybody at first")
	}
	f := r.fields()
	f["scope"], f["decision"] = []string{"points:read"}, []string{"approve"}
	if r := b.post("/consent", f); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	r = b.get("/consent?flow=" + b.flow("cus_alice"))
	if strings.Count(r.body, mark) != 1 || !strings.Contains(r.body, "spend points for you "+mark) {
		t.Errorf("marked is:\n%s", r.body)
	}
}
