package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestAccountPagesNeedAPerson(t *testing.T) {
	e := newEnv(t)
	b := e.browser()
	for _, path := range []string{"/account", "/account/apps", "/account/sessions?done=ended", "/account/tokens"} {
		r := b.get(path)
		r.is(t, http.StatusSeeOther, "/login?return_to="+url.QueryEscape(path))
		if r.Header.Get("X-Decision-Id") == "" {
			t.Errorf("%s: no decision", path)
		}
	}
	for _, path := range []string{"/account/apps/revoke", "/account/sessions/end", "/account/sessions/end-others", "/account/tokens", "/account/tokens/revoke"} {
		b.post(path, url.Values{}).is(t, http.StatusSeeOther, "/login?return_to=%2Faccount")
	}
	b.post("/logout", url.Values{}).is(t, http.StatusSeeOther, "/")
}

func TestRefusalsAreRecordedPages(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	f := b.get("/account").fields()
	f.Set("session", "ses_of_nobody")
	r := b.post("/account/sessions/end", f)
	r.is(t, http.StatusForbidden, "")
	id := r.Header.Get("X-Decision-Id")
	r.shows(t, "<h1>", id)
	rec, err := e.db.Decision(context.Background(), "demo", id)
	must(t, err)
	if rec.Allow || rec.Code != "not_owner" || rec.Subject != "cus_alice" || rec.Action != "session.revoke" {
		t.Errorf("record %+v", rec)
	}
}

// TestIDsOfFormsAreBounded: what a field holds and no id can be, up to a whole
// body of it, gets into no record.
func TestIDsOfFormsAreBounded(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	for _, bad := range []string{strings.Repeat("x", 129), strings.Repeat("junk ", 6000), "<a>", "é", "pgt_" + strings.Repeat("a", 40)} {
		for field, path := range map[string]string{"session": "/account/sessions/end", "client": "/account/apps/revoke", "token": "/account/tokens/revoke"} {
			f := b.get("/account").fields()
			f.Set(field, bad)
			r := b.post(path, f)
			r.is(t, http.StatusForbidden, "")
			rec, err := e.db.Decision(context.Background(), "demo", r.Header.Get("X-Decision-Id"))
			must(t, err)
			if len(rec.Resource) > 128 || strings.Contains(string(rec.Body), bad) || strings.Contains(rec.Resource, bad) {
				t.Errorf("%s keeps %d bytes: %.80q", field, len(rec.Resource), rec.Resource)
			}
		}
	}
}

func TestSessions(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	e.user("cus_bob")
	phone, desk, bob := e.browser(), e.browser(), e.browser()
	phone.header = map[string]string{"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"}
	phone.login("cus_alice@demo.example")
	e.now = e.now.Add(time.Minute)
	desk.header = map[string]string{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
	desk.login("cus_alice@demo.example")
	bob.login("cus_bob@demo.example")

	r := desk.get("/account/sessions")
	r.shows(t, "Safari on iPhone", "Firefox on Linux", "This browser", "192.0.2.1")
	if n := strings.Count(r.body, `action="/account/sessions/end"`); n != 1 {
		t.Errorf("%d sessions can be ended, want 1: the other one", n)
	}
	end := r.fields()

	theirs := bob.get("/account").fields()
	theirs.Set("session", end.Get("session"))
	bob.post("/account/sessions/end", theirs).is(t, http.StatusForbidden, "")
	phone.get("/account").shows(t, "Hello")

	desk.post("/account/sessions/end", end).is(t, http.StatusSeeOther, "/account/sessions?done=ended")
	phone.get("/account").is(t, http.StatusSeeOther, "/login?return_to=%2Faccount")

	phone.login("cus_alice@demo.example")
	desk.post("/account/sessions/end-others", end).is(t, http.StatusSeeOther, "/account/sessions?done=others")
	phone.get("/account").is(t, http.StatusSeeOther, "/login?return_to=%2Faccount")
	desk.get("/account").shows(t, "Hello")
	bob.get("/account").shows(t, "Hello")
}

func TestSetup(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	secret, row := authn.NewSetupLink("demo", e.now)
	storetest.Write(t, e.db, func(tx *store.Tx) error { return tx.InsertSetupLink(context.Background(), &row) })
	b := e.browser()
	b.get("/setup?link=wrong").is(t, http.StatusNotFound, "")
	good := b.get("/setup?link=" + secret).fields()
	good.Set("email", " Root@demo.example ")
	good.Set("name", "Root")
	good.Set("password", password)
	good.Set("password_again", password)
	with := func(name, value string) url.Values {
		f := url.Values{}
		for k, v := range good {
			f[k] = v
		}
		f.Set(name, value)
		return f
	}
	for _, c := range []struct {
		name   string
		form   url.Values
		status int
		code   string
		shows  string
	}{
		{"without a token", with("csrf", ""), http.StatusForbidden, "denied", "try again"},
		{"no address", with("email", "root"), http.StatusUnprocessableEntity, "validation_failed", "email address"},
		{"an address with a name", with("email", "Root <root@demo.example>"), http.StatusUnprocessableEntity, "validation_failed", "email address"},
		{"no name", with("name", " "), http.StatusUnprocessableEntity, "validation_failed", "name of up to 100"},
		{"a short password", with("password", "short"), http.StatusUnprocessableEntity, "validation_failed", "at least 12"},
		{"a short password of long characters", with("password", "пароль🔑🔑"), http.StatusUnprocessableEntity, "validation_failed", "at least 12"},
		{"a long name", with("name", strings.Repeat("é", 101)), http.StatusUnprocessableEntity, "validation_failed", "name of up to 100"},
		{"a name of two lines", with("name", "Root\nRoot"), http.StatusUnprocessableEntity, "validation_failed", "name of up to 100"},
		{"two passwords", with("password_again", password+"!"), http.StatusUnprocessableEntity, "validation_failed", "not the same"},
		{"a taken address", with("email", "cus_alice@demo.example"), http.StatusConflict, "conflict", "already"},
		{"another link", with("link", secret+"x"), http.StatusNotFound, "not_found", "once"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := b.post("/setup", c.form)
			r.is(t, c.status, "")
			r.shows(t, c.shows)
			if e.event.Code != c.code {
				t.Errorf("code %q, want %q", e.event.Code, c.code)
			}
		})
	}
	t.Run("good", func(t *testing.T) {
		r := b.post("/setup", good)
		r.is(t, http.StatusSeeOther, "/account?done=setup")
		request := e.event.RequestID
		b.get("/account?done=setup").shows(t, "Hello, Root", "super_admin", "root@demo.example", `class="button" href="/account/tokens"`)
		records, err := e.db.Decisions(context.Background(), store.DecisionFilter{Tenant: "demo", Action: "setup.complete", Limit: 10})
		must(t, err)
		if !records[0].Allow || records[0].Status != http.StatusNoContent {
			t.Errorf("record %+v, want an allowed one", records[0])
		}
		if got := r.Header.Get("X-Decision-Id"); got != records[0].ID || got == "" {
			t.Errorf("X-Decision-Id %q, the record is %q", got, records[0].ID)
		}
		if records[0].Request != request || !strings.Contains(string(records[0].Body), `"requested_by":"192.0.2.1"`) {
			t.Errorf("the record does not say which request it was, %s: %s", request, records[0].Body)
		}
	})
	t.Run("a second time", func(t *testing.T) {
		b.get("/setup?link="+secret).is(t, http.StatusNotFound, "")
	})
	t.Run("after an hour", func(t *testing.T) {
		secret, row := authn.NewSetupLink("demo", e.now)
		storetest.Write(t, e.db, func(tx *store.Tx) error { return tx.InsertSetupLink(context.Background(), &row) })
		e.now = e.now.Add(authn.SetupFor)
		b.get("/setup?link="+secret).is(t, http.StatusNotFound, "")
	})
}

func TestEveryPage(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	b := e.browser()
	public := []*reply{b.get("/"), b.get("/login"), b.get("/setup?link=x"), b.get("/static/none.css")}
	b.login("cus_alice@demo.example")
	staff := e.staff("stf_kim", "super_admin")
	for _, r := range append(public, b.get("/account"), b.get("/account/apps"), b.get("/account/sessions"),
		staff.get("/account/tokens"), staff.makeToken("laptop", "30", "admin")) {
		t.Run(r.Request.URL.Path, func(t *testing.T) {
			for name, want := range map[string]string{
				"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
				"Content-Type":            "text/html; charset=utf-8",
				"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
			} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if strings.Count(r.body, "<h1") != 1 || strings.Contains(r.body, "<script") || strings.Contains(r.body, " style=") {
				t.Errorf("want one h1, no script and no inline style:\n%s", r.body)
			}
			r.shows(t, `<html lang="en">`, "<header", "<main", "<footer")
			for _, form := range strings.SplitAfter(r.body, "<form ")[1:] {
				if !strings.Contains(strings.SplitN(form, "</form>", 2)[0], `name="csrf"`) {
					t.Errorf("a form without a token: %s", form)
				}
			}
		})
	}
}

func TestStaticFilesAreKept(t *testing.T) {
	e := newEnv(t)
	b := e.browser()
	_, after, _ := strings.Cut(b.get("/").body, `<link rel="stylesheet" href="`)
	path, _, _ := strings.Cut(after, `"`)
	r := b.get(path)
	r.is(t, http.StatusOK, "")
	if got := r.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("Cache-Control %q", got)
	}
	if got := r.Header.Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	b.get("/static/style.css").is(t, http.StatusNotFound, "")
	b.get("/static/../login.go").is(t, http.StatusNotFound, "")
}
