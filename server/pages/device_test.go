package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// television adds the client of a device.
func (e *env) television() {
	e.t.Helper()
	storetest.Write(e.t, e.db, func(tx *store.Tx) error {
		return tx.InsertClient(context.Background(), &store.Client{
			Tenant: "demo", ID: "tv", Name: "Living <b>Room</b>", Public: true, GrantTypes: store.Words{oauth2.DeviceGrant, "refresh_token"},
			Scopes: store.Words{"points:read", "points:write", "offline_access"}, CreatedAt: store.At(e.now),
		})
	})
}

// waits is a device that waits, with the code that it shows.
func (e *env) waits() *oauth2.DeviceAuthorization {
	e.t.Helper()
	ctx := context.Background()
	p, err := e.provider.AuthorizeDevice(ctx, &oauth2.Request{Tenant: e.tenant, IP: "198.51.100.7", Form: url.Values{
		"client_id": {"tv"}, "scope": {"points:read points:write"},
	}})
	must(e.t, err)
	var d *oauth2.DeviceAuthorization
	must(e.t, e.db.Write(ctx, func(tx *store.Tx) (err error) { d, err = p.Commit(ctx, tx); return err }))
	return d
}

// polls is what the device is told.
func (e *env) polls(d *oauth2.DeviceAuthorization) string {
	e.t.Helper()
	_, err := e.provider.Token(context.Background(), &oauth2.Request{Tenant: e.tenant, Form: url.Values{
		"client_id": {"tv"}, "grant_type": {oauth2.DeviceGrant}, "device_code": {d.DeviceCode},
	}})
	if err == nil {
		return "ok"
	}
	code, _, _ := strings.Cut(err.Error(), ":")
	return code
}

// types enters a code.
func (b *browser) types(code string, more ...string) *reply {
	b.t.Helper()
	f := b.get("/device").fields()
	f.Set("user_code", code)
	for i := 0; i < len(more); i += 2 {
		f.Add(more[i], more[i+1])
	}
	return b.post("/device", f)
}

func TestADeviceIsLetInByItsPerson(t *testing.T) {
	e := newEnv(t)
	e.television()
	e.user("cus_alice")
	d := e.waits()
	b := e.browser()
	complete := strings.TrimPrefix(d.VerificationURIComplete, e.tenant.Issuer)

	b.get(complete).is(t, http.StatusSeeOther, "/login?return_to="+url.QueryEscape(complete))
	b.login("cus_alice@demo.example")
	first := b.get(complete)
	first.shows(t, `value="`+d.UserCode+`"`, "Compare it with the one on your device", `method="post" action="/device"`)
	if strings.Contains(first.body, "Living") || strings.Contains(first.body, `name="decision"`) {
		t.Error("a link alone goes further than the code (RFC 8628 §5.4)")
	}
	asks := b.types(strings.ToLower(strings.ReplaceAll(d.UserCode, "-", " ")))
	asks.is(t, http.StatusOK, "")
	asks.shows(t, "Living &lt;b&gt;Room&lt;/b&gt;", d.UserCode, "198.51.100.7", "cus_alice@demo.example",
		"Only go on if you started this on your own device", `name="scope" value="points:read" checked`, "spend points for you",
		`name="decision" value="approve"`, `name="decision" value="deny"`)
	if got := e.polls(d); got != "authorization_pending" {
		t.Errorf("before the answer: %s", got)
	}
	f := asks.fields()
	f.Set("decision", "approve")
	f["scope"] = []string{"points:read"}
	b.post("/device", f).is(t, http.StatusSeeOther, "/device?done=approved")
	b.get("/device?done=approved").shows(t, "Your device is connected")
	if diff := cmp.Diff([]string{"points:read"}, e.scopesGiven("cus_alice")); diff != "" {
		t.Error(diff)
	}
	if got := e.polls(d); got != "ok" {
		t.Errorf("after the answer: %s", got)
	}
	if r := e.recorded("consent.grant"); len(r) != 1 || !r[0].Allow || r[0].Client != "tv" || r[0].Subject != "cus_alice" {
		t.Errorf("recorded %+v", r)
	}
	again := b.post("/device", f)
	again.is(t, http.StatusBadRequest, "")
	again.shows(t, "No device waits with this code")
}

func TestADeviceIsDenied(t *testing.T) {
	for name, answer := range map[string][]string{"by its button": {"decision", "deny", "scope", "points:read"}, "with nothing ticked": {"decision", "approve"}} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.television()
			e.user("cus_alice")
			d := e.waits()
			b := e.browser()
			b.login("cus_alice@demo.example")
			b.types(d.UserCode, answer...).is(t, http.StatusSeeOther, "/device?done=denied")
			b.get("/device?done=denied").shows(t, "Nothing was allowed")
			if got := e.polls(d); got != "access_denied" || len(e.scopesGiven("cus_alice")) != 0 {
				t.Errorf("the device is told %s", got)
			}
		})
	}
}

func TestCodesThatLetNothingIn(t *testing.T) {
	e := newEnv(t)
	e.television()
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	d := e.waits()
	for name, code := range map[string]string{
		"nothing": "", "too short": d.UserCode[:8], "another": "BBBB-BBBB", "vowels": "AAAA-AAAA", "long": strings.Repeat("B", 5000), "not text": "\"><script>",
	} {
		t.Run(name, func(t *testing.T) {
			e.refused = nil
			r := b.types(code, "decision", "approve", "scope", "points:read")
			r.is(t, http.StatusBadRequest, "")
			r.shows(t, "No device waits with this code")
			if diff := cmp.Diff([]string{"invalid_request"}, e.refused); diff != "" || strings.Contains(r.body, "<script") || len(r.body) > 8000 {
				t.Errorf("counted %s; the page: %s", diff, r.body)
			}
		})
	}
	t.Run("without the form's token", func(t *testing.T) {
		b.post("/device", url.Values{"user_code": {d.UserCode}, "decision": {"approve"}, "scope": {"points:read"}}).is(t, http.StatusForbidden, "")
	})
	t.Run("with neither yes nor no", func(t *testing.T) {
		b.types(d.UserCode, "decision", "perhaps").is(t, http.StatusBadRequest, "")
	})
	t.Run("of nobody", func(t *testing.T) {
		e.browser().post("/device", url.Values{"user_code": {d.UserCode}, "decision": {"approve"}}).is(t, http.StatusSeeOther,
			"/login?return_to="+url.QueryEscape("/device?user_code="+d.UserCode))
	})
	t.Run("too late", func(t *testing.T) {
		asks := b.types(d.UserCode)
		e.now = e.now.Add(oauth2.DeviceLifetime)
		f := asks.fields()
		f.Set("decision", "approve")
		f.Set("scope", "points:read")
		b.post("/device", f).is(t, http.StatusBadRequest, "")
	})
	t.Run("that the policy denies", func(t *testing.T) {
		e.Gate.Policy = denying{}
		r := b.types(e.waits().UserCode, "decision", "approve", "scope", "points:read")
		r.is(t, http.StatusForbidden, "")
		if r.Header.Get("X-Decision-Id") == "" {
			t.Error("the decision is not named")
		}
	})
	if got := e.scopesGiven("cus_alice"); got != nil {
		t.Errorf("something was given: %v", got)
	}
}

// TestGuessesOfCodesAreLimited: V7, by address, account and for all.
func TestGuessesOfCodesAreLimited(t *testing.T) {
	e := newEnv(t)
	e.television()
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	d := e.waits()
	var charged []string
	over := ""
	e.Throttle = func(key string, perMinute int) (time.Duration, bool) {
		kind, _, _ := strings.Cut(key, "\x00")
		charged = append(charged, kind)
		return 90 * time.Second, kind != over
	}
	b.types(d.UserCode).is(t, http.StatusOK, "")
	if diff := cmp.Diff([]string{"device address", "device account", "device"}, charged); diff != "" {
		t.Error(diff)
	}
	for _, over = range []string{"device address", "device account", "device"} {
		r := b.types(d.UserCode, "decision", "approve", "scope", "points:read")
		r.is(t, http.StatusTooManyRequests, "")
		r.shows(t, "tried too often")
		if r.Header.Get("Retry-After") != "90" || len(e.scopesGiven("cus_alice")) != 0 {
			t.Errorf("%s: Retry-After %q", over, r.Header.Get("Retry-After"))
		}
	}
}
