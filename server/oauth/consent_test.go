package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

func sentTo(location string) reply { return reply{header: http.Header{"Location": {location}}} }

func TestConsent(t *testing.T) {
	ctx := context.Background()
	each(t, func(w *world) {
		w.sub("a grant remembers who, what and when", func(w *world) {
			f := w.flow(asks())
			if _, err := w.approve(f, []string{"points:read", "offline_access", "admin"}); err != nil {
				w.Fatal(err)
			}
			all, err := store.Grants(ctx, w.db, store.GrantFilter{Tenant: "demo", Limit: 9})
			if err != nil || len(all) != 1 {
				w.Fatalf("%v, %d grants", err, len(all))
			}
			want := store.Grant{
				ID: all[0].ID, Tenant: "demo", ClientID: "demo-web", SubjectType: "customer", Subject: "cus_alice",
				Scopes: store.Words{"points:read", "offline_access"}, AuthTime: store.At(w.now()), AMR: store.Words{"pwd"},
				CreatedAt: store.At(w.now()), ExpiresAt: store.At(w.now().Add(oauth2.GrantLifetime)), Audience: store.Words{issuer + "/api"}, SessionID: "ses_1", ClientName: "The app demo-web",
			}
			if diff := cmp.Diff(want, all[0]); diff != "" {
				w.Error(diff)
			}
		})
		w.sub("what is unticked is left out of the tokens", func(w *world) {
			f := w.flow(asks())
			to, err := w.approve(f, []string{"points:write"})
			if err != nil {
				w.Fatal(err)
			}
			r := w.post("/oauth2/token", "demo-web", redeem(sentTo(to).location("code")))
			if r.status != 200 || r.field("scope") != "points:write" || r.field("refresh_token") != "" {
				w.Errorf("got %d %s", r.status, r.body)
			}
		})
		w.sub("nothing useful ticked is a denial", func(w *world) {
			f := w.flow(asks())
			for _, ticked := range [][]string{nil, {"offline_access"}, {"openid"}, {"admin"}} {
				to, err := w.approve(f, ticked)
				if err != nil || sentTo(to).location("error") != "access_denied" || sentTo(to).location("code") != "" {
					w.Errorf("%v: %q %v", ticked, to, err)
				}
			}
		})
		w.sub("a denial says so, with state and iss", func(w *world) {
			to, err := w.provider.Deny(ctx, w.flow(asks()), w.alice())
			if err != nil {
				w.Fatal(err)
			}
			r := sentTo(to)
			got := []string{r.location("error"), r.location("state"), r.location("iss")}
			if diff := cmp.Diff([]string{"access_denied", "st", issuer}, got); diff != "" {
				w.Error(diff)
			}
		})
	})
}

func TestConsentThatCounts(t *testing.T) {
	each(t, func(w *world) {
		w.sub("a flow is answered once", func(w *world) {
			f := w.flow(asks())
			replies := parallel(8, func() reply {
				to, err := w.approve(f, f.Scopes)
				var refused *oauth2.Error
				if errors.As(err, &refused) {
					return reply{body: `{"error":"` + refused.Code + `"}`}
				}
				return sentTo(to)
			})
			codes, refused := 0, 0
			for _, r := range replies {
				if r.location("code") != "" {
					codes++
				} else if r.error() == "invalid_request" {
					refused++
				}
			}
			if codes != 1 || refused != 7 {
				w.Errorf("%d codes, %d refused", codes, refused)
			}
		})
		w.sub("a person who was disabled meanwhile gives nothing", func(w *world) {
			f := w.flow(asks())
			w.exec(`UPDATE users SET disabled_at = 1 WHERE id = 'cus_alice'`)
			_, err := w.approve(f, f.Scopes)
			w.exec(`UPDATE users SET disabled_at = NULL WHERE id = 'cus_alice'`)
			w.wantCode(err, "access_denied")
		})
		w.sub("nor does a client that lost its address, or is gone", func(w *world) {
			f := w.flow(asks())
			w.exec(`UPDATE clients SET redirect_uris = 'https://new.example/cb' WHERE id = 'demo-web'`)
			_, err := w.approve(f, f.Scopes)
			w.wantCode(err, "invalid_request")
			w.exec(`UPDATE clients SET disabled_at = 1 WHERE id = 'demo-web'`)
			_, err = w.approve(f, f.Scopes)
			w.wantCode(err, "invalid_client")
		})
	})
}

func (w *world) wantCode(err error, code string) {
	w.Helper()
	var refused *oauth2.Error
	if !errors.As(err, &refused) || refused.Code != code || refused.Redirect != "" {
		w.Errorf("got %v, want %s on a page", err, code)
	}
}

func TestStateComesBackUnchanged(t *testing.T) {
	each(t, func(w *world) {
		for name, state := range map[string]string{
			"none": "", "one character": "x", "separators": "a&b=c#d?e+f g%20", "unicode": "ключ ☕", "2 kB": strings.Repeat("s", 2048),
		} {
			w.sub(name, func(w *world) {
				f := w.flow(asks("state", state))
				to, err := w.approve(f, f.Scopes)
				u, parsed := url.Parse(to)
				if err != nil || parsed != nil {
					w.Fatal(err, parsed)
				}
				q := u.Query()
				if q.Get("state") != state || q.Has("state") != (state != "") || q.Get("iss") != issuer || q.Get("code") == "" {
					w.Errorf("got %q", to)
				}
				if q.Has("access_token") || q.Has("scope") || u.Fragment != "" {
					w.Errorf("too much in %q", to)
				}
			})
		}
		w.sub("the registered query stays", func(w *world) {
			w.client("query", "", func(c *store.Client) {
				c.Public, c.RedirectURIs = true, store.Words{"https://app.example/cb?b=2&a=%2F"}
			})
			f := w.flow(asks("client_id", "query", "redirect_uri", "https://app.example/cb?b=2&a=%2F"))
			if to, err := w.provider.Deny(context.Background(), f, w.alice()); err != nil || !strings.HasPrefix(to, "https://app.example/cb?b=2&a=%2F&error=") {
				w.Errorf("got %q", to)
			}
		})
	})
}

func TestSealedFlows(t *testing.T) {
	each(t, func(w *world) {
		f := w.flow(asks())
		sealed := w.provider.Seal(f, "cus_alice", "ses_1")
		if strings.Contains(sealed, "+") || strings.Contains(sealed, "/") {
			w.Error("not safe in a URL")
		}
		open := func(name, sealed, person, session string, want error) {
			w.Helper()
			if _, err := w.provider.OpenFlow(sealed, person, session); !errors.Is(err, want) {
				w.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
		open("its own", sealed, "cus_alice", "ses_1", nil)
		open("another person", sealed, "cus_bob", "ses_1", oauth2.ErrFlow)
		open("another session", sealed, "cus_alice", "ses_2", oauth2.ErrFlow)
		open("moved boundaries", w.provider.Seal(f, "ab", "c"), "a", "bc", oauth2.ErrFlow)
		open("changed", sealed[:40]+"AAAA"+sealed[44:], "cus_alice", "ses_1", oauth2.ErrFlow)
		open("cut", sealed[:8], "cus_alice", "ses_1", oauth2.ErrFlow)
		open("empty", "", "cus_alice", "ses_1", oauth2.ErrFlow)
		open("not base64", "%%%", "cus_alice", "ses_1", oauth2.ErrFlow)
		w.pass(oauth2.FlowLifetime - time.Second)
		open("in its last second", sealed, "cus_alice", "ses_1", nil)
		w.pass(time.Second)
		open("too late", sealed, "cus_alice", "ses_1", oauth2.ErrFlow)
	})
}
