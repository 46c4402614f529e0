package oauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// asked is where a request leads for alice, whose login is that long ago: a path
// of this server, or the error that the client gets. No login: nobody.
func (w *world) asked(ago string, changes ...string) string {
	w.Helper()
	h := map[string]string{"X-Person": "cus_alice", "X-Login-Ago": ago}
	if ago == "" {
		delete(h, "X-Person")
	}
	return w.led(w.do("GET", "/oauth2/authorize?"+asks(changes...).Encode(), "", h))
}

func (w *world) led(r reply) string {
	w.Helper()
	to := r.header.Get("Location")
	switch {
	case r.status == 303 && strings.HasPrefix(to, callback+"?"):
		if r.location("state") != "st" || r.location("iss") != issuer {
			w.Errorf("the client is told %q", to)
		}
		return r.location("error")
	case r.status == 303:
		path, _, _ := strings.Cut(to, "?")
		return path
	}
	return r.body
}

// TestA11Prompt: what prompt, max_age and acr_values lead to.
func TestA11Prompt(t *testing.T) {
	each(t, func(w *world) {
		for name, c := range map[string]struct{ signedIn, nobody, prompt string }{
			"none":                 {"consent_required", "login_required", "none"},
			"login":                {"/login", "/login", "login"},
			"consent":              {"/consent", "/login", "consent"},
			"select_account":       {"/login", "/login", "select_account"},
			"login and consent":    {"/login", "/login", "login consent"},
			"none and login":       {"invalid_request", "invalid_request", "none login"},
			"none twice":           {"invalid_request", "invalid_request", "none none"},
			"one that there isn't": {"invalid_request", "invalid_request", "create"},
			"another case":         {"invalid_request", "invalid_request", "None"},
			"empty":                {"/consent", "/login", " "},
		} {
			w.sub(name, func(w *world) {
				if got := w.asked("1s", "prompt", c.prompt); got != c.signedIn {
					w.Errorf("signed in: %s, want %s", got, c.signedIn)
				}
				if got := w.asked("", "prompt", c.prompt); got != c.nobody {
					w.Errorf("signed out: %s, want %s", got, c.nobody)
				}
			})
		}
		for name, c := range map[string]struct {
			want    string
			changes []string
		}{
			"fresh enough":                        {"/consent", []string{"max_age", "60"}},
			"not fresh enough":                    {"/login", []string{"max_age", "59"}},
			"not fresh enough, and no page":       {"login_required", []string{"max_age", "59", "prompt", "none"}},
			"0 is a login each time":              {"/login", []string{"max_age", "0"}},
			"a login, however fresh the last one": {"/login", []string{"max_age", "3600", "prompt", "login"}},
			"the largest":                         {"/consent", []string{"max_age", "2147483647"}},
			"too large":                           {"invalid_request", []string{"max_age", "99999999999"}},
			"negative":                            {"invalid_request", []string{"max_age", "-1"}},
			"signed":                              {"invalid_request", []string{"max_age", "+1"}},
			"half a second":                       {"invalid_request", []string{"max_age", "0.5"}},
			"no number":                           {"invalid_request", []string{"max_age", "soon"}},
			"the class that it has":               {"/consent", []string{"acr_values", "urn:x:gold " + oauth2.SingleFactor}},
			"a class that can't be had":           {"/consent", []string{"acr_values", "urn:x:gold"}},
			"the step-up of an API":               {"/login", []string{"acr_values", oauth2.SingleFactor, "max_age", "30"}},
		} {
			w.sub(name, func(w *world) {
				if got := w.asked("60s", c.changes...); got != c.want {
					w.Errorf("%s, want %s", got, c.want)
				}
			})
		}
		w.sub("a login of no class", func(w *world) {
			h := map[string]string{"X-Person": "cus_alice", "X-AMR": "other"}
			r := w.do("GET", "/oauth2/authorize?"+asks("acr_values", oauth2.SingleFactor).Encode(), "", h)
			if got := w.led(r); got != "/login" {
				w.Errorf("leads to %s", got)
			}
		})
	})
}

// TestA11LoginIsBound: the demand for a login travels sealed. It is met by a
// login after the request, and by nothing that the client or the link says.
func TestA11LoginIsBound(t *testing.T) {
	each(t, func(w *world) {
		ask := func(changes ...string) string {
			r := w.do("GET", "/oauth2/authorize?"+asks(changes...).Encode(), "", map[string]string{"X-Person": "cus_alice", "X-Login-Ago": "1h"})
			if w.led(r) != "/login" {
				w.Fatalf("no login: %q", r.header.Get("Location"))
			}
			return r.location("return_to")
		}
		goOn := func(at, ago string) reply {
			return w.do("GET", at, "", map[string]string{"X-Person": "cus_alice", "X-Login-Ago": ago})
		}
		for name, changes := range map[string][]string{
			"prompt=login": {"prompt", "login"}, "prompt=select_account": {"prompt", "select_account"}, "max_age=0": {"max_age", "0"},
		} {
			w.sub(name, func(w *world) {
				back := ask(changes...)
				w.pass(time.Minute)
				if got := w.led(goOn(back, "61s")); got != "/login" {
					w.Errorf("with the login from before: %s", got)
				}
				if got := w.led(goOn(back+"&prompt=none&max_age=99999", "61s")); got != "/login" {
					w.Errorf("with what the link adds: %s", got)
				}
				for range 2 { // no loop, and good for the whole time
					if got := w.led(goOn(back, "30s")); got != "/consent" {
						w.Errorf("after the login: %s", got)
					}
					w.pass(10 * time.Second)
				}
			})
		}
		w.sub("max_age counts from the request", func(w *world) {
			back := ask("max_age", "300")
			w.pass(10 * time.Minute) // somebody types slowly
			if got := w.led(goOn(back, "601s")); got != "/consent" {
				w.Errorf("a login that was fresh then: %s", got)
			}
			if got := w.led(goOn(back, "901s")); got != "/login" {
				w.Errorf("a login that was not: %s", got)
			}
		})
		w.sub("sealed", func(w *world) {
			back := ask("prompt", "login", "state", strings.Repeat("&", 1000)+strings.Repeat("s", 3000))
			u, err := url.Parse(back)
			if err != nil || len(back) > 8<<10 {
				w.Fatalf("%d bytes, %v", len(back), err)
			}
			sealed := u.Query().Get("flow")
			for name, flow := range map[string]string{
				"changed": sealed[:40] + "AAAA" + sealed[44:], "cut": sealed[:10], "empty": "",
				"of the consent page": w.provider.Seal(w.flow(asks()), "cus_alice", "ses_1"),
			} {
				w.sub(name, func(w *world) { w.wantPage(goOn("/oauth2/authorize/continue?flow="+flow, "0s")) })
			}
			if _, err := w.provider.OpenLogin(sealed, "other"); err == nil {
				w.Error("it opens at another tenant")
			}
			if _, err := w.provider.OpenFlow(sealed, "cus_alice", "ses_1"); err == nil {
				w.Error("it opens as a request that waits for consent")
			}
			w.pass(oauth2.LoginLifetime)
			w.wantPage(goOn(back, "0s"))
		})
	})
}

func TestLoginHint(t *testing.T) {
	each(t, func(w *world) {
		for hint, want := range map[string]string{
			"alice@demo.example": "alice@demo.example", "<b>": "<b>", "a\nb": "", strings.Repeat("a", 255): "", strings.Repeat("a", 254): strings.Repeat("a", 254),
		} {
			r := w.do("GET", "/oauth2/authorize?"+asks("login_hint", hint).Encode(), "", nil)
			u, _ := url.Parse(r.location("return_to"))
			f, err := w.provider.OpenLogin(u.Query().Get("flow"), "demo")
			if err != nil || f.LoginHint != want {
				w.Errorf("%q: %+v, %v", hint, f, err)
			}
		}
	})
}

// TestA11IDTokenHint: without a page, a client gets nothing for another person
// than the one that it had.
func TestA11IDTokenHint(t *testing.T) {
	each(t, func(w *world) {
		storetest.User(w, w.db, "demo", "cus_bob")
		for _, id := range []string{"app-one", "app-two"} {
			w.client(id, id+"-secret", func(c *store.Client) { c.Scopes = store.Words{"openid", "points:read"} })
		}
		asked := []string{"client_id", "app-one", "scope", "openid points:read"}
		hint := w.post("/oauth2/token", "app-one", redeem(w.code(asked...))).field("id_token")
		if hint == "" {
			w.Fatal("no ID token")
		}
		silent := func(person, hint string, changes ...string) string {
			q := asks(append(append(asked, "prompt", "none", "id_token_hint", hint), changes...)...)
			return w.led(w.do("GET", "/oauth2/authorize?"+q.Encode(), "", map[string]string{"X-Person": person}))
		}
		before := silent("cus_bob", "")
		for name, c := range map[string]struct{ got, want string }{
			"another person":               {silent("cus_bob", hint), "login_required"},
			"nobody":                       {silent("", hint), "login_required"},
			"a hint that is none":          {silent("cus_bob", "junk"), before},
			"a hint of another client's":   {silent("cus_bob", hint, "client_id", "app-two"), before},
			"a hint that somebody changed": {silent("cus_bob", hint[:len(hint)-8]+"AAAAAAAA"), before},
			"the person":                   {silent("cus_alice", hint), silent("cus_alice", "")},
			"another person, with a page":  {silent("cus_bob", hint, "prompt", ""), "/consent"},
		} {
			if c.got != c.want || before == "login_required" {
				w.Errorf("%s: %s, want %s", name, c.got, c.want)
			}
		}
	})
}
