package authn_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// signIn begins a session and returns its cookie.
func (e *env) signIn(u *store.User) string {
	e.t.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/", func(c *fiber.Ctx) error {
		web.SetTenant(c, e.tenant)
		return e.sessions.Begin(c, u, func(b authn.Begun) *store.Record {
			return &store.Record{ID: "login of " + b.Session, Tenant: u.Tenant, Related: b.Replaced, Body: []byte(`{"custom":{"a":1}}`)}
		}, "pwd")
	})
	res, err := app.Test(httptest.NewRequest(http.MethodGet, "/", nil))
	if err != nil {
		e.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if c.Name == "pg_session" {
			return c.Name + "=" + c.Value
		}
	}
	e.t.Fatalf("no session: %d", res.StatusCode)
	return ""
}

func TestSession(t *testing.T) {
	e := newEnv(t)
	alice := storetest.User(t, e.db, "demo", "cus_alice")
	cookie := e.signIn(alice)
	_, k := e.ask("/page", "Cookie", cookie)
	if short(k) != "session|valid|customer|cus_alice|" || !k.AuthTime.Equal(e.now) || len(k.AMR) != 1 || k.AMR[0] != "pwd" || k.GrantID == "" {
		t.Errorf("caller %+v", k)
	}
	for name, c := range map[string]struct{ path, header, value, want string }{
		"no cookie":                     {"/page", "Cookie", "", "none|missing|anonymous||"},
		"a wrong key":                   {"/page", "Cookie", cookie[:len(cookie)-1] + "!", "session|invalid|anonymous||"},
		"a key that is cut":             {"/page", "Cookie", cookie[:20], "session|invalid|anonymous||"},
		"the name that https has":       {"/page", "Cookie", "__Host-" + cookie, "none|missing|anonymous||"},
		"at the API":                    {"/api", "Cookie", cookie, "none|missing|anonymous||"},
		"beside a bad Authorization":    {"/page", "Authorization", "Bearer junk", "none|invalid|anonymous||"},
		"beside an empty X-API-Key":     {"/page", "X-API-Key", "", "none|invalid|anonymous||"},
		"beside an empty Authorization": {"/page", "Authorization", "", "none|invalid|anonymous||"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := []string{c.header, c.value}
			if c.header != "Cookie" {
				headers = append(headers, "Cookie", cookie)
			}
			if _, k := e.ask(c.path, headers...); short(k) != c.want {
				t.Errorf("caller %q, want %q", short(k), c.want)
			}
		})
	}
	t.Run("of a disabled person", func(t *testing.T) {
		u := *alice
		u.DisabledAt = store.At(e.now)
		e.write(func(tx *store.Tx) error { return tx.UpdateUser(context.Background(), &u) })
		if _, k := e.ask("/page", "Cookie", cookie); short(k) != "session|revoked|customer|cus_alice|" {
			t.Errorf("caller %q", short(k))
		}
	})
}

func TestSessionLimits(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name  string
		roles []string
		steps []time.Duration // between requests
		want  web.Status      // of the last
	}{
		{"customer, two weeks less a second", nil, []time.Duration{14*day - time.Second}, web.Valid},
		{"customer, idle for two weeks", nil, []time.Duration{14 * day}, web.Expired},
		{"customer, seen every 13 days, 78 days", nil, []time.Duration{13 * day, 13 * day, 13 * day, 13 * day, 13 * day, 13 * day}, web.Valid},
		{"customer, seen every 13 days, 91 days", nil, []time.Duration{13 * day, 13 * day, 13 * day, 13 * day, 13 * day, 13 * day, 13 * day}, web.Expired},
		{"staff, 29 minutes", []string{"viewer"}, []time.Duration{29 * time.Minute}, web.Valid},
		{"staff, idle for 30 minutes", []string{"viewer"}, []time.Duration{30 * time.Minute}, web.Expired},
		{"staff, seen after 29 and 29", []string{"viewer"}, []time.Duration{29 * time.Minute, 29 * time.Minute}, web.Valid},
		{"an expired one does not come back", []string{"viewer"}, []time.Duration{30 * time.Minute, 0}, web.Expired},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEnv(t)
			cookie := e.signIn(storetest.User(t, e.db, "demo", "someone", c.roles...))
			var k web.Caller
			for _, step := range c.steps {
				e.now = e.now.Add(step)
				_, k = e.ask("/page", "Cookie", cookie)
			}
			if k.Status != c.want || k.ID != "someone" {
				t.Errorf("caller %q, want status %s", short(k), c.want)
			}
		})
	}
	t.Run("staff, 12 hours of work", func(t *testing.T) {
		e := newEnv(t)
		cookie := e.signIn(storetest.User(t, e.db, "demo", "stf_a", "viewer"))
		end := e.now.Add(12 * time.Hour)
		for e.now = e.now.Add(20 * time.Minute); e.now.Before(end); e.now = e.now.Add(20 * time.Minute) {
			if _, k := e.ask("/page", "Cookie", cookie); k.Status != web.Valid {
				t.Fatalf("at %v: %q", e.now, short(k))
			}
		}
		if _, k := e.ask("/page", "Cookie", cookie); k.Status != web.Expired {
			t.Errorf("caller %q, want expired", short(k))
		}
	})
}

func TestLastSeenIsWrittenOnceAMinute(t *testing.T) {
	e := newEnv(t)
	cookie, begun := e.signIn(storetest.User(t, e.db, "demo", "cus_alice")), e.now
	for _, c := range []struct{ after, seen time.Duration }{
		{59 * time.Second, 0}, {61 * time.Second, 61 * time.Second}, {90 * time.Second, 61 * time.Second}, {3 * time.Minute, 3 * time.Minute},
	} {
		e.now = begun.Add(c.after)
		_, k := e.ask("/page", "Cookie", cookie)
		s, err := store.GetSession(context.Background(), e.db, "demo", k.GrantID)
		if err != nil || s.LastSeenAt.Sub(begun) != c.seen {
			t.Errorf("after %v last seen at %v (%v), want %v", c.after, s.LastSeenAt.Sub(begun), err, c.seen)
		}
	}
}
