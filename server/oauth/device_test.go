package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	xoauth2 "golang.org/x/oauth2"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
)

// televisions are a public and a confidential client that ask for devices.
func televisions(w *world) {
	w.client("demo-tv", "", func(c *store.Client) {
		c.Public, c.RedirectURIs, c.GrantTypes = true, nil, store.Words{oauth2.DeviceGrant, "refresh_token"}
	})
	w.client("demo-box", "demo-box-secret", func(c *store.Client) {
		c.RedirectURIs, c.GrantTypes = nil, store.Words{oauth2.DeviceGrant}
	})
}

func (w *world) device(changes ...string) reply {
	w.Helper()
	return w.post("/oauth2/device_authorization", "", with(url.Values{"client_id": {"demo-tv"}, "scope": {"points:read offline_access"}}, changes...))
}

func (w *world) poll(code string, changes ...string) reply {
	w.Helper()
	return w.post("/oauth2/token", "", with(url.Values{
		"grant_type": {oauth2.DeviceGrant}, "client_id": {"demo-tv"}, "device_code": {code},
	}, changes...))
}

// letIn is alice's yes to the device with this user code.
func (w *world) letIn(userCode string, ticked ...string) error {
	w.Helper()
	ctx, tenant := context.Background(), w.tenant("demo")
	d, err := w.provider.FindDevice(ctx, tenant, "customer", userCode)
	if err != nil {
		return err
	}
	if ticked == nil {
		ticked = d.Scopes
	}
	p, err := w.provider.ApproveDevice(ctx, tenant, d, w.alice(), d.Ticked("customer", ticked))
	if err != nil {
		return err
	}
	return w.db.Write(ctx, func(tx *store.Tx) error { _, err := p.Commit(ctx, tx); return err })
}

func (w *world) tenant(id string) *store.Tenant {
	w.Helper()
	t, err := store.GetTenant(context.Background(), w.db, id)
	if err != nil {
		w.Fatal(err)
	}
	return t
}

func TestADeviceIsLetIn(t *testing.T) {
	each(t, func(w *world) {
		televisions(w)
		r := w.device()
		w.guarded(r)
		code, user := r.field("device_code"), r.field("user_code")
		if r.status != 200 || !strings.HasPrefix(code, "pgd_") || len(user) != 9 || user[4] != '-' ||
			r.field("verification_uri") != issuer+"/device" || r.field("verification_uri_complete") != issuer+"/device?user_code="+user ||
			!strings.Contains(r.body, `"expires_in":600,"interval":5`) {
			w.Fatalf("got %d %s", r.status, r.body)
		}
		w.sub("V1: it waits until the person has answered", func(w *world) {
			got := w.poll(code)
			w.want(got, 400, "authorization_pending")
			w.guarded(got)
			if n := w.counted(); len(n) != 0 {
				w.Errorf("waiting was counted as a refusal: %v", n)
			}
		})
		w.sub("V8: the person may type the code as they like", func(w *world) {
			d, err := w.provider.FindDevice(context.Background(), w.tenant("demo"), "customer", " "+strings.ToLower(strings.Replace(user, "-", " ", 1)))
			if err != nil || d.UserCode != user || d.ClientName != "The app demo-tv" {
				w.Errorf("%+v %v", d, err)
			}
		})
		w.sub("it gets tokens of that person, once", func(w *world) {
			w.pass(5 * time.Second)
			if err := w.letIn(user); err != nil {
				w.Fatal(err)
			}
			got := w.poll(code)
			w.guarded(got)
			token, err := w.provider.Lookup(context.Background(), got.field("access_token"))
			if err != nil || token.Subject != "cus_alice" || token.ClientID != "demo-tv" || token.Status != oauth2.Valid ||
				got.field("scope") != "points:read offline_access" || got.field("refresh_token") == "" {
				w.Fatalf("%+v %v %s", token, err, got.body)
			}
			if r := w.post("/oauth2/token", "", again(got.field("refresh_token"), "client_id", "demo-tv")); r.status != 200 {
				w.Errorf("refresh: %d %s", r.status, r.body)
			}
			w.want(w.poll(code), 400, "invalid_grant") // V5
			if s := w.status(got.field("access_token")); s != oauth2.Revoked {
				w.Errorf("a device code that is used twice leaves its token %s", s)
			}
		})
		w.sub("of a client without refresh tokens, it stays signed in for no longer", func(w *world) {
			r := w.device("client_id", "demo-box", "client_secret", "demo-box-secret")
			if err := w.letIn(r.field("user_code")); err != nil {
				w.Fatal(err)
			}
			got := w.poll(r.field("device_code"), "client_id", "demo-box", "client_secret", "demo-box-secret")
			if got.status != 200 || got.field("scope") != "points:read" || got.field("refresh_token") != "" {
				w.Errorf("got %d %s", got.status, got.body)
			}
		})
		w.sub("it gets what was ticked", func(w *world) {
			r := w.device("scope", "points:read points:write")
			if err := w.letIn(r.field("user_code"), "points:write"); err != nil {
				w.Fatal(err)
			}
			if got := w.poll(r.field("device_code")); got.field("scope") != "points:write" {
				w.Errorf("got %d %s", got.status, got.body)
			}
		})
	})
}

func TestADeviceWaits(t *testing.T) {
	each(t, func(w *world) {
		televisions(w)
		w.sub("V2: one that asks too often waits longer", func(w *world) {
			code := w.device().field("device_code")
			w.want(w.poll(code), 400, "authorization_pending")
			w.pass(3 * time.Second)
			w.want(w.poll(code), 400, "slow_down")
			w.pass(6 * time.Second)
			w.want(w.poll(code), 400, "slow_down") // it is 10 seconds now
			w.pass(15 * time.Second)
			w.want(w.poll(code), 400, "authorization_pending")
		})
		w.sub("V3: not for ever", func(w *world) {
			r := w.device()
			w.pass(oauth2.DeviceLifetime)
			w.want(w.poll(r.field("device_code")), 400, "expired_token")
			if err := w.letIn(r.field("user_code")); !errors.Is(err, oauth2.ErrDevice) {
				w.Errorf("the person is let in: %v", err)
			}
		})
		w.sub("V4: a no is a no", func(w *world) {
			r := w.device()
			ctx, tenant := context.Background(), w.tenant("demo")
			d, err := w.provider.FindDevice(ctx, tenant, "customer", r.field("user_code"))
			if err != nil {
				w.Fatal(err)
			}
			if err := w.provider.DenyDevice(ctx, tenant, d, w.alice()); err != nil {
				w.Fatal(err)
			}
			w.want(w.poll(r.field("device_code")), 400, "access_denied")
			w.wantCode(w.provider.DenyDevice(ctx, tenant, d, w.alice()), "invalid_request")
			p, err := w.provider.ApproveDevice(ctx, tenant, d, w.alice(), d.Scopes)
			if err != nil {
				w.Fatal(err)
			}
			w.wantCode(w.db.Write(ctx, func(tx *store.Tx) error { _, err := p.Commit(ctx, tx); return err }), "invalid_request")
			if err := w.letIn(r.field("user_code")); !errors.Is(err, oauth2.ErrDevice) {
				w.Errorf("it can still be found: %v", err)
			}
			if n := w.told(oauth2.Denied); len(n) != 1 || n[0].ClientID != "demo-tv" || n[0].Subject != "cus_alice" {
				w.Errorf("told %+v", n)
			}
		})
		w.sub("V6: another client gets nothing, and spoils nothing", func(w *world) {
			r := w.device()
			box := []string{"client_id", "demo-box", "client_secret", "demo-box-secret"}
			w.want(w.poll(r.field("device_code"), box...), 400, "invalid_grant")
			if err := w.letIn(r.field("user_code")); err != nil {
				w.Fatal(err)
			}
			w.want(w.poll(r.field("device_code"), box...), 400, "invalid_grant")
			if got := w.poll(r.field("device_code")); got.status != 200 {
				w.Errorf("its own client: %d %s", got.status, got.body)
			}
		})
		w.sub("revoked before it came for its tokens, it gets none", func(w *world) {
			r := w.device()
			if err := w.letIn(r.field("user_code")); err != nil {
				w.Fatal(err)
			}
			w.exec(`UPDATE grants SET revoked_at = 1, revoked_by = 'cus_alice' WHERE id = (SELECT grant_id FROM device_codes WHERE status = 'approved' AND used_at IS NULL)`)
			w.want(w.poll(r.field("device_code")), 400, "invalid_grant")
		})
	})
}

func TestDevicesThatAreRefused(t *testing.T) {
	each(t, func(w *world) {
		televisions(w)
		other := w.device().field("device_code")
		for name, c := range map[string]struct {
			got    reply
			status int
			code   string
		}{
			"V9: a client without the grant":        {w.device("client_id", "demo-spa"), 400, "unauthorized_client"},
			"V9: at the token endpoint":             {w.poll(other, "client_id", "demo-spa"), 400, "unauthorized_client"},
			"an unknown client":                     {w.device("client_id", "nobody"), 401, "invalid_client"},
			"a confidential one that shows nothing": {w.device("client_id", "demo-box"), 401, "invalid_client"},
			"a public one with a secret":            {w.device("client_secret", "x"), 401, "invalid_client"},
			"a scope that is not its own":           {w.device("scope", "points:adjust"), 400, "invalid_scope"},
			"a scope in other letters":              {w.device("scope", "Points:Read"), 400, "invalid_scope"},
			"no scope":                              {w.device("scope", ""), 400, "invalid_scope"},
			"nothing of use":                        {w.device("scope", "offline_access"), 400, "invalid_scope"},
			"another's resource":                    {w.device("resource", "http://other.localhost/api"), 400, "invalid_target"},
			"a poll without a code":                 {w.poll(""), 400, "invalid_request"},
			"junk":                                  {w.poll("pgd_junk"), 400, "invalid_grant"},
			"a code of another kind":                {w.poll(w.code()), 400, "invalid_grant"},
		} {
			w.sub(name, func(w *world) { w.want(c.got, c.status, c.code); w.guarded(c.got) })
		}
		w.sub("another tenant's device is not there", func(w *world) {
			user := w.device().field("user_code")
			if _, err := w.provider.FindDevice(context.Background(), w.tenant("other"), "customer", user); !errors.Is(err, oauth2.ErrDevice) {
				w.Errorf("got %v", err)
			}
		})
		w.sub("nor one whose client is gone, or asks for what this person can't give", func(w *world) {
			user := w.device().field("user_code")
			if _, err := w.provider.FindDevice(context.Background(), w.tenant("demo"), "nobody", user); !errors.Is(err, oauth2.ErrDevice) {
				w.Errorf("got %v", err)
			}
			w.exec(`UPDATE clients SET disabled_at = 1 WHERE id = 'demo-tv'`)
			if err := w.letIn(user); !errors.Is(err, oauth2.ErrDevice) {
				w.Errorf("got %v", err)
			}
			w.exec(`UPDATE clients SET disabled_at = NULL WHERE id = 'demo-tv'`)
		})
		w.sub("the policy's no is the RFC's", func(w *world) {
			w.rule("device.authorize", "house_rule", 403)
			w.want(w.device(), 400, "unauthorized_client")
			r := func() reply { w.rule("", "", 0); return w.device() }()
			if err := w.letIn(r.field("user_code")); err != nil {
				w.Fatal(err)
			}
			w.rule("token.issue", "house_rule", 403)
			w.want(w.poll(r.field("device_code")), 400, "unauthorized_client")
			w.rule("", "", 0)
			if got := w.poll(r.field("device_code")); got.status != 200 {
				w.Errorf("the code was burnt by the policy's no: %d %s", got.status, got.body)
			}
		})
	})
}

// TestOneDeviceManyTimes: approved once, and redeemed once, in a race.
func TestOneDeviceManyTimes(t *testing.T) {
	each(t, func(w *world) {
		televisions(w)
		for range 3 {
			r := w.device()
			yes := parallel(8, func() reply {
				if err := w.letIn(r.field("user_code")); err != nil {
					return reply{}
				}
				return reply{status: 200}
			})
			if n := count(yes); n["200"] != 1 {
				w.Fatalf("approved: %v", n)
			}
			replies := parallel(20, func() reply { return w.poll(r.field("device_code")) })
			if n := count(replies); n["200"] != 1 || n["invalid_grant"] != 19 {
				w.Fatalf("redeemed: %v", n)
			}
			if s := w.status(winner(w, replies).field("access_token")); s != oauth2.Revoked {
				w.Errorf("the winner's token is %s", s)
			}
		}
	})
}

// TestDeviceByAnotherImplementation is golang.org/x/oauth2 as a device.
func TestDeviceByAnotherImplementation(t *testing.T) {
	each(t, func(w *world) {
		televisions(w)
		ctx := context.WithValue(context.Background(), xoauth2.HTTPClient, &http.Client{Transport: w.browser.Transport})
		c := xoauth2.Config{ClientID: "demo-tv", Scopes: []string{"points:read", "offline_access"}, Endpoint: xoauth2.Endpoint{
			DeviceAuthURL: w.base + "/oauth2/device_authorization", TokenURL: w.base + "/oauth2/token", AuthStyle: xoauth2.AuthStyleInParams,
		}}
		shown, err := c.DeviceAuth(ctx)
		if err != nil || shown.UserCode == "" || shown.VerificationURI != issuer+"/device" {
			w.Fatalf("%+v %v", shown, err)
		}
		if err := w.letIn(shown.UserCode); err != nil {
			w.Fatal(err)
		}
		shown.Interval = 1 // of its own clock
		got, err := c.DeviceAccessToken(ctx, shown)
		if err != nil || w.status(got.AccessToken) != oauth2.Valid || got.RefreshToken == "" {
			w.Errorf("%+v %v", got, err)
		}
	})
}
