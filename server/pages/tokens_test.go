package pages_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/gate"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// staff is a browser in which a new member of staff is signed in.
func (e *env) staff(id string, roles ...string) *browser {
	e.t.Helper()
	e.user(id, roles...)
	b := e.browser()
	b.login(id + "@demo.example")
	return b
}

func (b *browser) makeToken(name, days string, scopes ...string) *reply {
	b.t.Helper()
	f := url.Values{"csrf": b.get("/account").fields()["csrf"], "name": {name}, "days": {days}, "scope": scopes}
	return b.post("/account/tokens", f)
}

var secretOnPage = regexp.MustCompile(`pgt_[0-9A-Za-z]+`)

func (e *env) tokensOf(user string) []store.APIKey {
	e.t.Helper()
	all, err := store.APIKeys(context.Background(), e.db, store.APIKeyFilter{Tenant: "demo", User: user, Limit: 100})
	must(e.t, err)
	return all
}

func TestTokenIsShownOnceAndWorks(t *testing.T) {
	e := newEnv(t)
	b := e.staff("stf_kim", "super_admin")
	b.get("/account/tokens").shows(t, "You have no API token", `value="admin"`, `value="30" required checked`)
	r := b.makeToken(" <laptop> ", "7", "points:read", "admin", "admin")
	r.is(t, http.StatusCreated, "")
	r.shows(t, "&lt;laptop&gt;", "pointgate client list --url "+e.tenant.Issuer, "administer this organisation")
	secret := secretOnPage.FindString(r.body)

	keys := authn.APIToken{Keys: authn.Keys{Store: e.db, Now: e.Now}, ScopesOf: e.ScopesOf}
	k, err := keys.Authenticate(context.Background(), &authn.Credentials{Secret: secret})
	must(t, err)
	if diff := cmp.Diff([]string{"valid", "stf_kim", "admin points:read"}, []string{string(k.Status), k.ID, strings.Join(k.Scopes, " ")}); diff != "" {
		t.Error(diff)
	}
	row := e.tokensOf("stf_kim")[0]
	if got := row.ExpiresAt.Sub(e.now); row.Name != "<laptop>" || got != 7*24*time.Hour {
		t.Errorf("token %q for %s", row.Name, got)
	}
	list := b.get("/account/tokens")
	list.shows(t, "&lt;laptop&gt;", "29 November 2026")
	if strings.Contains(list.body, secret) {
		t.Error("the secret is shown again")
	}

	f := list.fields()
	b.post("/account/tokens/revoke", f).is(t, http.StatusSeeOther, "/account/tokens?done=token")
	b.post("/account/tokens/revoke", f).is(t, http.StatusSeeOther, "/account/tokens?done=token")
	b.get("/account/tokens").shows(t, "You have no API token")
	if k, err = keys.Authenticate(context.Background(), &authn.Credentials{Secret: secret}); err != nil || k.Status != "revoked" {
		t.Errorf("after it was revoked: %s %v", k.Status, err)
	}
}

// Staff have no points of their own: they are told whose.
func TestWordsForStaff(t *testing.T) {
	e := newEnv(t)
	e.client()
	manager, alice := e.staff("stf_max", "manager"), e.browser()
	e.user("cus_alice")
	alice.login("cus_alice@demo.example")
	ours, theirs := []string{"see the points of customers and their history", "spend and hold points of customers"}, []string{"see your points and their history", "spend points for you"}
	for _, c := range []struct {
		name       string
		page       *reply
		shows, not []string
	}{
		{"tokens of staff", manager.get("/account/tokens"), ours, theirs},
		{"consent of staff", manager.get("/consent?flow=" + manager.flow("stf_max")), ours, theirs},
		{"consent of a customer", alice.get("/consent?flow=" + alice.flow("cus_alice")), theirs, ours},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.page.shows(t, c.shows...)
			for _, s := range c.not {
				if strings.Contains(c.page.body, s) {
					t.Errorf("the page shows %q", s)
				}
			}
		})
	}
}

func TestTokenFormRefuses(t *testing.T) {
	e := newEnv(t)
	b := e.staff("stf_vera", "viewer")
	if body := b.get("/account/tokens").body; strings.Contains(body, `value="admin"`) {
		t.Error("a viewer is offered the scope admin")
	}
	for _, c := range []struct {
		name, label, days string
		scopes            []string
		shows             string
	}{
		{"no name", " ", "30", []string{"points:read"}, "enter a name"},
		{"a long name", strings.Repeat("x", 101), "30", []string{"points:read"}, "enter a name"},
		{"two lines", "a\nb", "30", []string{"points:read"}, "enter a name"},
		{"no scope", "laptop", "30", nil, "at least one"},
		{"a scope of other roles", "laptop", "30", []string{"points:read", "admin"}, "Your roles"},
		{"a scope that is none", "laptop", "30", []string{"everything"}, "Your roles"},
		{"a scope that is no role's", "laptop", "30", []string{"offline_access"}, "Your roles"},
		{"a long life", "laptop", "365", []string{"points:read"}, "how long"},
		{"no life", "laptop", "", []string{"points:read"}, "how long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := b.makeToken(c.label, c.days, c.scopes...)
			r.is(t, http.StatusUnprocessableEntity, "")
			r.shows(t, `role="alert"`, c.shows, "Make a token")
			rec, err := e.db.Decision(context.Background(), "demo", r.Header.Get("X-Decision-Id"))
			must(t, err)
			if !rec.Allow || rec.Code != "validation_failed" || rec.Status != http.StatusUnprocessableEntity || rec.Action != "token.create" {
				t.Errorf("record %+v", rec)
			}
		})
	}
	t.Run("a form of another page", func(t *testing.T) {
		b.post("/account/tokens", url.Values{"csrf": {"forged"}, "name": {"x"}, "days": {"30"}, "scope": {"points:read"}}).is(t, http.StatusForbidden, "")
	})
	if n := len(e.tokensOf("stf_vera")); n != 0 {
		t.Errorf("%d tokens were made", n)
	}
}

func TestTwentyTokensAPerson(t *testing.T) {
	e := newEnv(t)
	b := e.staff("stf_vera", "viewer")
	make := func() *reply { return b.makeToken("one more", "7", "points:read") }
	for range 20 {
		make().is(t, http.StatusCreated, "")
	}
	r := make()
	r.is(t, http.StatusConflict, "")
	r.shows(t, "You have 20 tokens", `value="one more"`, `value="points:read" checked`)
	b.post("/account/tokens/revoke", r.fields()).is(t, http.StatusSeeOther, "/account/tokens?done=token")
	make().is(t, http.StatusCreated, "")
	e.now = e.now.Add(7 * 24 * time.Hour)
	b.login("stf_vera@demo.example")
	b.get("/account/tokens").shows(t, "You have no API token")
	make().is(t, http.StatusCreated, "")
}

func TestTokensAreTheirPersons(t *testing.T) {
	e := newEnv(t)
	kim, vera, alice := e.staff("stf_kim", "manager"), e.staff("stf_vera", "viewer"), e.browser()
	e.user("cus_alice")
	alice.login("cus_alice@demo.example")
	_, key := authn.NewKey(authn.KeyPrefix)
	key.Tenant, key.ClientID, key.CreatedAt = "demo", "shop", store.At(e.now)
	storetest.Write(t, e.db, func(tx *store.Tx) error { return tx.InsertAPIKey(context.Background(), &key) })
	kim.makeToken("laptop", "30", "points:read").is(t, http.StatusCreated, "")
	token := e.tokensOf("stf_kim")[0].ID
	if body := vera.get("/account/tokens").body; strings.Contains(body, "laptop") {
		t.Error("another's token is listed")
	}
	revoke := func(b *browser, id string) *reply {
		return b.post("/account/tokens/revoke", url.Values{"csrf": b.get("/account").fields()["csrf"], "token": {id}})
	}
	for _, c := range []struct {
		name string
		get  func() *reply
		code string
	}{
		{"another's", func() *reply { return revoke(vera, token) }, "missing_role"},
		{"one that is not there", func() *reply { return revoke(vera, "tok_none") }, "not_owner"},
		{"a client's key, by a super_admin", func() *reply { return revoke(e.staff("stf_root", "super_admin"), key.ID) }, "not_owner"},
		{"a customer looks", func() *reply { return alice.get("/account/tokens") }, "missing_role"},
		{"a customer makes one", func() *reply { return alice.makeToken("x", "30", "points:read") }, "missing_role"},
		{"a customer revokes one", func() *reply { return revoke(alice, token) }, "not_owner"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := c.get()
			r.is(t, http.StatusForbidden, "")
			rec, err := e.db.Decision(context.Background(), "demo", r.Header.Get("X-Decision-Id"))
			must(t, err)
			if rec.Allow || rec.Code != c.code {
				t.Errorf("record %t %s, want %s", rec.Allow, rec.Code, c.code)
			}
		})
	}
	if row := e.tokensOf("stf_kim")[0]; !row.RevokedAt.IsZero() {
		t.Error("the token is revoked")
	}
	if body := alice.get("/account").body; strings.Contains(body, "/account/tokens") {
		t.Error("a customer is led to the tokens")
	}
	kim.get("/account").shows(t, `<a href="/account/tokens">`)
}

func TestRolesOfTodayLimitTheForm(t *testing.T) {
	e := newEnv(t)
	b := e.staff("stf_none", "a_role_of_old")
	b.get("/account/tokens").shows(t, "Your roles allow nothing")
	u := e.staff("stf_kim", "super_admin")
	u.makeToken("before", "30", "admin").is(t, http.StatusCreated, "")
	row, err := store.GetUser(context.Background(), e.db, "demo", "stf_kim")
	must(t, err)
	row.Roles = store.Words{"auditor"}
	storetest.Write(t, e.db, func(tx *store.Tx) error { return tx.UpdateUser(context.Background(), row) })
	for scope, want := range map[string]int{"admin": http.StatusUnprocessableEntity, "audit:read": http.StatusCreated} {
		if r := u.makeToken(fmt.Sprint("for ", scope), "30", scope); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", scope, r.StatusCode, want)
		}
	}
}

// between does something after the decision and before the effect.
type between struct {
	gate.Policy
	do func()
}

func (p between) Decide(ctx context.Context, r *policies.Request) (*policies.Decision, error) {
	d, err := p.Policy.Decide(ctx, r)
	if r.Action == "token.create" {
		p.do()
	}
	return d, err
}

func TestNoTokenOfAnEndedSession(t *testing.T) {
	e := newEnv(t)
	b := e.staff("stf_kim", "super_admin")
	e.Gate.Policy = between{e.Gate.Policy, func() {
		storetest.Write(t, e.db, func(tx *store.Tx) error {
			_, err := tx.EndSessions(context.Background(), store.SessionMatch{Tenant: "demo", User: "stf_kim"})
			return err
		})
	}}
	b.makeToken("laptop", "30", "admin").is(t, http.StatusSeeOther, "/login?return_to=%2Faccount")
	if n := len(e.tokensOf("stf_kim")); n != 0 {
		t.Errorf("%d tokens were made", n)
	}
}
