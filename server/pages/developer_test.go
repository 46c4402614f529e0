package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// registration sets who may register apps.
func (e *env) registration(mode string) {
	e.t.Helper()
	e.tenant.Registration = mode
	storetest.Write(e.t, e.db, func(tx *store.Tx) error { return tx.UpdateTenant(context.Background(), e.tenant) })
	must(e.t, e.db.LoadTenants(context.Background()))
}

// developer is a browser in which a new customer is signed in.
func (e *env) developer(id string) *browser {
	e.t.Helper()
	e.user(id)
	b := e.browser()
	b.login(id + "@demo.example")
	return b
}

func (b *browser) appForm(changes ...string) url.Values {
	b.t.Helper()
	f := url.Values{
		"csrf": b.get("/account").fields()["csrf"], "name": {"My App"}, "homepage": {""}, "kind": {"confidential"}, "scope": {"points:read", "offline_access"},
		"redirect_uris": {"https://app.example/cb\r\nhttp://127.0.0.1:9090/cb\r\n\r\n"},
	}
	for i := 0; i < len(changes); i += 2 {
		f.Set(changes[i], changes[i+1])
	}
	return f
}

// act is a form that says little more than that it comes from the page.
func (b *browser) act(fields ...string) url.Values {
	f := b.appForm(fields...)
	f.Del("scope")
	return f
}

var (
	appID        = regexp.MustCompile(`app_[a-z0-9]{26}`)
	clientSecret = regexp.MustCompile(`pgs_[0-9A-Za-z_-]{43}`)
)

func TestDeveloperRegistersAnApp(t *testing.T) {
	e := newEnv(t)
	e.registration("open")
	b := e.developer("cus_dev")
	b.get("/account").shows(t, `href="/developer"`)
	b.get("/developer").shows(t, "You have no app", `href="/developer/new"`)
	b.get("/developer/new").shows(t, `value="points:read" checked`, `value="confidential" required checked`)
	r := b.post("/developer/new", b.appForm())
	r.is(t, http.StatusCreated, "")
	id, secret := appID.FindString(r.body), clientSecret.FindString(r.body)
	r.shows(t, id, e.tenant.Issuer, "It is not shown again", "process.env.CLIENT_SECRET", "https://app.example/cb")
	c, err := store.GetClient(context.Background(), e.db, "demo", id)
	must(t, err)
	if c.Owner != "cus_dev" || c.RegisteredBy != "developer" || c.Trusted || c.Public || strings.Join(c.RedirectURIs, " ") != "https://app.example/cb http://127.0.0.1:9090/cb" ||
		strings.Join(c.GrantTypes, " ") != "authorization_code refresh_token" || len(c.Origins) != 0 {
		t.Errorf("%+v", c)
	}
	e.secretsAre(id, secret)
	again := b.get("/developer/apps/" + id)
	again.shows(t, "My App", "https://app.example/cb\nhttp://127.0.0.1:9090/cb", `value="offline_access" checked`)
	if strings.Contains(again.body, secret) {
		t.Error("the secret is shown again")
	}
	b.get("/developer").shows(t, "My App", id)
}

// secretsAre are the ones of the client that are good now.
func (e *env) secretsAre(client string, want ...string) {
	e.t.Helper()
	all, err := store.ClientSecrets(context.Background(), e.db, "demo", client)
	must(e.t, err)
	live := map[string]bool{}
	for _, s := range all {
		if s.ExpiresAt.IsZero() || s.ExpiresAt.After(e.now) {
			live[string(s.Hash)] = true
		}
	}
	for _, s := range want {
		if !live[string(oauth2.HashSecret(s))] {
			e.t.Errorf("%q is not good", s)
		}
	}
	if len(live) != len(want) {
		e.t.Errorf("%d secrets are good, want %d", len(live), len(want))
	}
}

func TestPublicAppsHaveNoSecretAndMayCallFromTheirPages(t *testing.T) {
	e := newEnv(t)
	e.registration("open")
	b := e.developer("cus_dev")
	r := b.post("/developer/new", b.appForm("kind", "public"))
	r.is(t, http.StatusCreated, "")
	id := appID.FindString(r.body)
	if clientSecret.MatchString(r.body) || strings.Contains(r.body, "Another secret") {
		t.Error("it has a secret")
	}
	c, err := store.GetClient(context.Background(), e.db, "demo", id)
	must(t, err)
	if !c.Public || c.AuthMethod != "none" || strings.Join(c.Origins, " ") != "https://app.example http://127.0.0.1:9090" {
		t.Errorf("%+v", c)
	}
	b.post("/developer/apps/"+id+"/secret", url.Values{"csrf": b.appForm()["csrf"], "overlap": {"24"}}).is(t, http.StatusConflict, "")
	e.secretsAre(id)
}

func TestDeveloperFormSaysWhatIsWrong(t *testing.T) {
	e := newEnv(t)
	e.registration("open")
	b := e.developer("cus_dev")
	for name, c := range map[string]struct {
		field, value, says string
	}{
		"no name":          {"name", " ", "Please enter a name"},
		"a deceptive name": {"name", "Bank\u202e", "Please enter a name"},
		"a script":         {"homepage", "javascript:alert(1)", "The homepage must"},
		"no address":       {"redirect_uris", "\n \n", "redirect addresses"},
		"http":             {"redirect_uris", "http://app.example/cb", "redirect addresses"},
		"two on one line":  {"redirect_uris", "https://app.example/cb https://app.example/cb2", "redirect addresses"},
		"an app":           {"redirect_uris", "com.example.app:/cb", "redirect addresses"},
		"a scope of staff": {"scope", "admin", "Please tick"},
		"no useful scope":  {"scope", "offline_access", "Please tick"},
		"no kind":          {"kind", "trusted", "where the app runs"},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.post("/developer/new", b.appForm(c.field, c.value))
			r.is(t, http.StatusUnprocessableEntity, "")
			r.shows(t, c.says, `role="alert"`)
		})
	}
	b.post("/developer/new", b.appForm("csrf", "")).is(t, http.StatusForbidden, "")
	b.get("/developer").shows(t, "You have no app")
}

func TestDeveloperIsClosedWhereRegistrationIs(t *testing.T) {
	e := newEnv(t)
	b := e.developer("cus_dev")
	for _, mode := range []string{"off", "token"} {
		e.registration(mode)
		b.get("/developer").shows(t, "registered by an administrator")
		b.post("/developer/new", b.appForm()).is(t, http.StatusForbidden, "")
	}
	e.browser().get("/developer").is(t, http.StatusSeeOther, "/login?return_to=%2Fdeveloper")
}

func TestDeveloperChangesOnlyTheirOwn(t *testing.T) {
	e := newEnv(t)
	e.registration("open")
	mine, theirs := e.developer("cus_dev"), e.developer("cus_eve")
	id := appID.FindString(mine.post("/developer/new", mine.appForm()).body)
	storetest.Client(t, e.db, "demo", "admins-app", nil)
	admin := e.staff("stf_root", "super_admin")
	for _, path := range []string{"/developer/apps/" + id, "/developer/apps/" + id + "/secret", "/developer/apps/" + id + "/delete"} {
		f := theirs.act("overlap", "0", "sure", "yes")
		theirs.post(path, f).is(t, http.StatusForbidden, "")
		admin.post(path, admin.act("overlap", "0", "sure", "yes")).is(t, http.StatusNotFound, "")
	}
	theirs.get("/developer/apps/"+id).is(t, http.StatusForbidden, "")
	for _, other := range []string{"admins-app", "none", "%00", "https:%2F%2Fapp.example%2F"} {
		if r := mine.get("/developer/apps/" + other); r.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", other, r.StatusCode)
		}
	}
	if c, err := store.GetClient(context.Background(), e.db, "demo", id); err != nil || c.Name != "My App" {
		t.Errorf("%+v %v", c, err)
	}
}

func TestDeveloperEditsRotatesAndDeletes(t *testing.T) {
	e := newEnv(t)
	e.registration("open")
	b := e.developer("cus_dev")
	r := b.post("/developer/new", b.appForm())
	id, first := appID.FindString(r.body), clientSecret.FindString(r.body)
	path := "/developer/apps/" + id
	consent := &store.Consent{Tenant: "demo", UserID: "cus_dev", ClientID: id, Audience: e.tenant.Resource(), Scopes: store.Words{"points:read"}}
	storetest.Write(t, e.db, func(tx *store.Tx) error { return tx.Remember(context.Background(), consent, nil) })
	remembered := func() bool {
		_, err := store.GetConsent(context.Background(), e.db, "demo", "cus_dev", id, e.tenant.Resource())
		return err == nil
	}

	b.post(path, b.appForm("name", "Renamed", "kind", "public")).is(t, http.StatusSeeOther, path+"?done=app")
	if c, err := store.GetClient(context.Background(), e.db, "demo", id); err != nil || c.Name != "Renamed" || c.Public || !remembered() {
		t.Errorf("%+v %v", c, err)
	}
	b.post(path, b.appForm("redirect_uris", "http://evil.example")).is(t, http.StatusUnprocessableEntity, "")
	b.post(path, b.appForm("redirect_uris", "https://new.example/cb")).is(t, http.StatusSeeOther, path+"?done=app")
	if remembered() {
		t.Error("people are not asked again")
	}

	b.post(path+"/secret", b.act()).is(t, http.StatusUnprocessableEntity, "")
	r = b.post(path+"/secret", b.act("overlap", "24"))
	r.is(t, http.StatusCreated, "")
	second := clientSecret.FindString(r.body)
	r.shows(t, "23 November 2026, 09:00 UTC")
	e.secretsAre(id, first, second)
	e.now = e.now.Add(24 * time.Hour)
	e.secretsAre(id, second)
	third := clientSecret.FindString(b.post(path+"/secret", b.act("overlap", "0")).body)
	e.secretsAre(id, third)

	for range 9 {
		b.post(path+"/secret", b.act("overlap", "168")).is(t, http.StatusCreated, "")
	}
	b.post(path+"/secret", b.act("overlap", "168")).is(t, http.StatusConflict, "")
	last := clientSecret.FindString(b.post(path+"/secret", b.act("overlap", "0")).body)
	e.secretsAre(id, last)
	if all, err := store.ClientSecrets(context.Background(), e.db, "demo", id); err != nil || len(all) != 1 {
		t.Errorf("%d secrets are kept: %v", len(all), err)
	}

	b.post(path+"/delete", b.act()).is(t, http.StatusUnprocessableEntity, "")
	b.post(path+"/delete", b.act("sure", "yes")).is(t, http.StatusSeeOther, "/developer?done=deleted")
	b.get(path).is(t, http.StatusForbidden, "")
}

func TestDeveloperHasSoManyAppsAtMost(t *testing.T) {
	e := newEnv(t)
	e.registration("open")
	b := e.developer("cus_dev")
	for i := range 20 {
		storetest.Client(t, e.db, "demo", "app"+strings.Repeat("x", i+1), func(c *store.Client) { c.RegisteredBy, c.Owner = "developer", "cus_dev" })
	}
	b.post("/developer/new", b.appForm()).is(t, http.StatusConflict, "")
	b.get("/developer").shows(t, "as many as one person can have")
}
