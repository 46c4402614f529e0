package oauth_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

func TestRefresh(t *testing.T) {
	each(t, func(w *world) {
		oldAccess, old := w.tokens("demo-web")
		r := w.post("/oauth2/token", "demo-web", again(old))
		w.guarded(r)
		if r.status != 200 || r.field("refresh_token") == old || r.field("access_token") == oldAccess || r.field("scope") != "points:read points:write offline_access" {
			w.Fatalf("got %d %s", r.status, r.body)
		}
		if s := w.status(r.field("access_token")); s != oauth2.Valid {
			w.Errorf("the new access token is %s", s)
		}
		if s := w.status(old); s != "invalid" {
			w.Errorf("a refresh token as bearer is %s", s)
		}
		w.want(w.post("/oauth2/token", "demo-web", again(r.field("refresh_token"))), 200, "")
	})
}

func TestRefreshTokensThatGiveNothing(t *testing.T) {
	each(t, func(w *world) {
		w.client("second", "second-secret", nil)
		access, live := w.tokens("demo-web")
		for name, c := range map[string]struct {
			client, token string
			changes       []string
			code          string
		}{
			"unknown":                     {"demo-web", "pgr_" + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43), nil, "invalid_grant"},
			"garbage":                     {"demo-web", "garbage", nil, "invalid_grant"},
			"missing":                     {"demo-web", "", nil, "invalid_request"},
			"an access token":             {"demo-web", access, nil, "invalid_grant"},
			"an access token in disguise": {"demo-web", "pgr_" + strings.TrimPrefix(access, "pga_"), nil, "invalid_grant"},
			"another client's":            {"second", live, nil, "invalid_grant"},
			"for more scopes":             {"demo-web", live, []string{"scope", "points:read points:transfer"}, "invalid_scope"},
			"for an unknown scope":        {"demo-web", live, []string{"scope", "points:steal"}, "invalid_scope"},
			"for a scope in another case": {"demo-web", live, []string{"scope", "POINTS:READ"}, "invalid_scope"},
			"for another resource":        {"demo-web", live, []string{"resource", "http://other.localhost/api"}, "invalid_target"},
		} {
			w.sub(name, func(w *world) {
				r := w.post("/oauth2/token", c.client, again(c.token, c.changes...))
				w.want(r, 400, c.code)
				w.guarded(r)
			})
		}
		w.sub("and the token stays good", func(w *world) {
			r := w.post("/oauth2/token", "demo-web", again(live))
			w.want(r, 200, "")
			live = r.field("refresh_token")
		})
		w.sub("idle for 30 days", func(w *world) {
			w.pass(oauth2.RefreshLifetime)
			w.want(w.post("/oauth2/token", "demo-web", again(live)), 400, "invalid_grant")
			if len(w.told(reuse)) != 0 {
				w.Errorf("told: %+v", w.told(reuse))
			}
		})
	})
}

func TestRefreshEndsWithTheGrant(t *testing.T) {
	each(t, func(w *world) {
		_, token := w.tokens("demo-web")
		for range 4 {
			w.pass(22 * 24 * time.Hour)
			r := w.post("/oauth2/token", "demo-web", again(token))
			w.want(r, 200, "")
			token = r.field("refresh_token")
		}
		w.pass(2*24*time.Hour - 5*time.Minute)
		r := w.post("/oauth2/token", "demo-web", again(token))
		if !strings.Contains(r.body, `"expires_in":300`) {
			w.Errorf("an access token outlives its grant: %s", r.body)
		}
		w.pass(5 * time.Minute)
		w.want(w.post("/oauth2/token", "demo-web", again(r.field("refresh_token"))), 400, "invalid_grant")
	})
}

// TestLifetimesOfAClient: idle for a minute, for ten at most, by its registration.
func TestLifetimesOfAClient(t *testing.T) {
	each(t, func(w *world) {
		w.client("brief", "brief-secret", func(c *store.Client) { c.RefreshIdle, c.RefreshMost = 60, 600 })
		_, token := w.tokens("brief")
		refresh := func() reply { return w.post("/oauth2/token", "brief", again(token)) }
		for range 10 {
			w.pass(59 * time.Second)
			r := refresh()
			w.want(r, 200, "")
			token = r.field("refresh_token")
		}
		w.pass(10 * time.Second)
		w.want(refresh(), 400, "invalid_grant") // 600 s after the consent

		_, token = w.tokens("brief")
		w.pass(60 * time.Second)
		w.want(refresh(), 400, "invalid_grant")
		if len(w.told(reuse)) != 0 {
			w.Errorf("told: %+v", w.told(reuse))
		}
	})
}

// TestUseOfAGrant: redeeming and refreshing are its use, to the minute.
func TestUseOfAGrant(t *testing.T) {
	each(t, func(w *world) {
		last := func() time.Time {
			g, err := store.Grants(context.Background(), w.db, store.GrantFilter{Tenant: "demo", Limit: 1})
			if err != nil {
				w.Fatal(err)
			}
			return g[0].LastUsedAt.Time
		}
		begun := w.now()
		_, token := w.tokens("demo-web")
		if !last().Equal(begun) {
			w.Errorf("after the code: %v", last())
		}
		w.pass(59 * time.Second)
		r := w.post("/oauth2/token", "demo-web", again(token))
		if !last().Equal(begun) {
			w.Errorf("within the minute: %v", last())
		}
		w.pass(2 * time.Second)
		w.want(w.post("/oauth2/token", "demo-web", again(r.field("refresh_token"))), 200, "")
		if !last().Equal(w.now()) {
			w.Errorf("after the minute: %v", last())
		}
	})
}

func TestRefreshNarrowsScopes(t *testing.T) {
	each(t, func(w *world) {
		_, token := w.tokens("demo-web")
		r := w.post("/oauth2/token", "demo-web", again(token, "scope", "points:read"))
		if r.status != 200 || r.field("scope") != "points:read" {
			w.Fatalf("got %d %s", r.status, r.body)
		}
		got, err := w.provider.Lookup(context.Background(), r.field("access_token"))
		if err != nil || strings.Join(got.Scopes, " ") != "points:read" {
			w.Errorf("%+v %v", got, err)
		}
		r = w.post("/oauth2/token", "demo-web", again(r.field("refresh_token")))
		if r.field("scope") != "points:read points:write offline_access" {
			w.Errorf("the next can't go back to the grant: %s", r.body)
		}
		w.exec(`UPDATE clients SET scopes = 'points:read offline_access' WHERE id = 'demo-web'`)
		r = w.post("/oauth2/token", "demo-web", again(r.field("refresh_token")))
		if r.field("scope") != "points:read offline_access" {
			w.Errorf("a scope that was taken from the client is given: %s", r.body)
		}
		w.want(w.post("/oauth2/token", "demo-web", again(r.field("refresh_token"), "scope", "points:write")), 400, "invalid_scope")
	})
}

func TestRefreshInGrace(t *testing.T) {
	each(t, func(w *world) {
		_, token := w.tokens("demo-web")
		first := w.post("/oauth2/token", "demo-web", again(token))
		w.pass(30*time.Second - time.Microsecond)
		second := w.post("/oauth2/token", "demo-web", again(token))
		if first.status != 200 || first.body != second.body {
			w.Fatalf("not the same answer: %s, %s", first.body, second.body)
		}
		if w.again != 1 {
			w.Errorf("%d replays are counted, want 1", w.again)
		}
		w.sub("nothing of the answer can be read at rest", func(w *world) {
			var sealed []byte
			if err := w.db.Get(context.Background(), &sealed, `SELECT successor FROM refresh_tokens WHERE successor IS NOT NULL`); err != nil {
				w.Fatal(err)
			}
			if strings.Contains(string(sealed), first.field("access_token")[4:12]) || json.Valid(sealed) {
				w.Error("a successor is stored in clear")
			}
		})
		w.sub("when it is over, a replay is a reuse", func(w *world) {
			w.pass(time.Microsecond)
			w.want(w.post("/oauth2/token", "demo-web", again(token)), 400, "invalid_grant")
			w.want(w.post("/oauth2/token", "demo-web", again(first.field("refresh_token"))), 400, "invalid_grant")
			if s := w.status(first.field("access_token")); s != oauth2.Revoked {
				w.Errorf("the access token is %s", s)
			}
			if len(w.told(reuse)) != 1 || w.told(reuse)[0].Type != "refresh_token" || w.told(reuse)[0].Tenant != "demo" {
				w.Errorf("told: %+v", w.told(reuse))
			}
		})
	})
}

func TestReuseAfterTheSuccessorWasUsed(t *testing.T) {
	each(t, func(w *world) {
		_, token := w.tokens("demo-web")
		first := w.post("/oauth2/token", "demo-web", again(token))
		next := w.post("/oauth2/token", "demo-web", again(first.field("refresh_token")))
		w.want(next, 200, "")
		w.want(w.post("/oauth2/token", "demo-web", again(token)), 400, "invalid_grant")
		w.want(w.post("/oauth2/token", "demo-web", again(next.field("refresh_token"))), 400, "invalid_grant")
		if s := w.status(next.field("access_token")); s != oauth2.Revoked {
			w.Errorf("the access token is %s", s)
		}
	})
}

func TestReuseWithoutGrace(t *testing.T) {
	each(t, func(w *world) {
		_, token := w.tokens("demo-spa")
		first := w.post("/oauth2/token", "demo-spa", again(token))
		w.want(first, 200, "")
		var sealed int
		if err := w.db.Get(context.Background(), &sealed, `SELECT COUNT(*) FROM refresh_tokens WHERE successor IS NOT NULL`); err != nil || sealed != 0 {
			w.Errorf("%d answers are kept for nothing, %v", sealed, err)
		}
		w.want(w.post("/oauth2/token", "demo-spa", again(token)), 400, "invalid_grant")
		w.want(w.post("/oauth2/token", "demo-spa", again(first.field("refresh_token"))), 400, "invalid_grant")
		g, err := store.Grants(context.Background(), w.db, store.GrantFilter{Tenant: "demo", Limit: 9})
		if err != nil || len(g) != 1 || g[0].RevokedBy != "refresh_token_reuse" {
			w.Errorf("grants %+v, %v", g, err)
		}
	})
}

// TestAnotherClientShowsARefreshToken: one that is unused gives it nothing and
// destroys nothing; one that is used has leaked, also within the grace.
func TestAnotherClientShowsARefreshToken(t *testing.T) {
	each(t, func(w *world) {
		w.client("second", "second-secret", nil)
		_, token := w.tokens("demo-web")
		w.want(w.post("/oauth2/token", "second", again(token)), 400, "invalid_grant")
		first := w.post("/oauth2/token", "demo-web", again(token))
		if first.status != 200 || len(w.told(reuse)) != 0 {
			w.Fatalf("after a stranger's try with the unused token: %d %s, told %+v", first.status, first.body, w.told(reuse))
		}
		w.want(w.post("/oauth2/token", "second", again(token)), 400, "invalid_grant")
		if s := w.status(first.field("access_token")); s != oauth2.Revoked {
			w.Errorf("after a stranger's try with the used token the access token is %s", s)
		}
		if len(w.told(reuse)) != 1 || w.told(reuse)[0].ClientID != "demo-web" || w.told(reuse)[0].ShownBy != "second" {
			w.Errorf("told: %+v", w.told(reuse))
		}
	})
}

// TestWhatEndsAGrant: from the very next request on, refresh gives nothing and
// access tokens are dead.
func TestWhatEndsAGrant(t *testing.T) {
	ctx := context.Background()
	exec := func(query string) func(tx *store.Tx, _ string) error {
		return func(tx *store.Tx, _ string) error { return tx.ExecOne(ctx, store.ErrNotFound, query) }
	}
	nothing := func(*store.Tx, string) error { return nil }
	each(t, func(w *world) {
		for _, c := range []struct {
			name   string
			end    func(tx *store.Tx, grant string) error
			mend   func(tx *store.Tx, grant string) error
			status int
			code   string
		}{
			{"a person or admin revokes it", func(tx *store.Tx, g string) error { return tx.RevokeGrant(ctx, "demo", g, "cus_alice") }, nothing, 400, "invalid_grant"},
			{"all of the client are revoked", func(tx *store.Tx, _ string) error {
				_, _, err := tx.RevokeGrants(ctx, store.GrantMatch{Tenant: "demo", Client: "demo-web"}, "stf_admin")
				return err
			}, nothing, 400, "invalid_grant"},
			{"the person is disabled", exec(`UPDATE users SET disabled_at = 1 WHERE id = 'cus_alice'`),
				exec(`UPDATE users SET disabled_at = NULL WHERE id = 'cus_alice'`), 400, "invalid_grant"},
			{"the client is disabled", func(tx *store.Tx, _ string) error { return tx.DisableClient(ctx, "demo", "demo-web") },
				exec(`UPDATE clients SET disabled_at = NULL WHERE id = 'demo-web'`), 401, "invalid_client"},
			{"the client is deleted", func(tx *store.Tx, _ string) error { return tx.DeleteClient(ctx, "demo", "demo-web", "stf_admin") }, nothing, 401, "invalid_client"},
		} {
			w.sub(c.name, func(w *world) {
				access, refresh := w.tokens("demo-web")
				token, err := w.provider.Lookup(ctx, access)
				if err != nil {
					w.Fatal(err)
				}
				if err := w.db.Write(ctx, func(tx *store.Tx) error { return c.end(tx, token.GrantID) }); err != nil {
					w.Fatal(err)
				}
				if s := w.status(access); s != oauth2.Revoked {
					w.Errorf("the access token is %s", s)
				}
				if r := w.post("/oauth2/introspect", "demo-gateway", url.Values{"token": {access}}); r.body != inactive {
					w.Errorf("introspected as %s", r.body)
				}
				w.want(w.post("/oauth2/token", "demo-web", again(refresh)), c.status, c.code)
				if len(w.told(reuse)) != 0 {
					w.Errorf("told: %+v", w.told(reuse))
				}
				if err := w.db.Write(ctx, func(tx *store.Tx) error { return c.mend(tx, token.GrantID) }); err != nil {
					w.Fatal(err)
				}
			})
		}
	})
}
