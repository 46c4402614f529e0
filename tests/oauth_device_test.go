package tests

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/oauth2"
	"github.com/pointgate/pointgate/tests/harness"
)

// waiting is a device that shows a code.
type waiting struct{ code, user, complete string }

func (p *proof) device(t *testing.T, changes ...string) waiting {
	t.Helper()
	a := p.post(t, "/oauth2/device_authorization", "shop-tv", with(url.Values{"scope": {"points:read offline_access"}}, changes...))
	if plain(t, a); a.Status != http.StatusOK {
		t.Fatal(a)
	}
	at := func(member string) string { return must(a.At(member))(t) }
	return waiting{at("device_code"), at("user_code"), strings.TrimPrefix(at("verification_uri_complete"), p.URL)}
}

func (p *proof) poll(t *testing.T, app, code string) *harness.Answer {
	t.Helper()
	return p.post(t, "/oauth2/token", app, url.Values{"grant_type": {oauth2.DeviceGrant}, "device_code": {code}})
}

// types has Alice enter a code, and answer what the page after it asks.
func (p *proof) types(t *testing.T, code, decision string) *harness.Answer {
	t.Helper()
	page := must(p.alice.Open("/device"))(t)
	for _, answer := range []string{"", decision} {
		f, found := deviceForm(t, page)
		if !found {
			break
		}
		if f.Fields.Set("user_code", code); answer != "" {
			f.Fields.Set("decision", answer)
		}
		page = must(p.alice.Submit(f))(t)
	}
	return page
}

// deviceForm is the form of the page that has a code in it.
func deviceForm(t *testing.T, page *harness.Answer) (harness.Form, bool) {
	t.Helper()
	for _, f := range must(harness.Forms(page.Body))(t) {
		if f.Fields.Has("user_code") {
			return f, true
		}
	}
	return harness.Form{}, false
}

// devices: RFC 8628.
func (p *proof) devices(t *testing.T) {
	grants := words(oauth2.DeviceGrant + " refresh_token")
	p.register(t, map[string]any{"id": "shop-tv", "name": "Television", "public": true, "grant_types": grants, "scopes": words("points:read offline_access")})
	p.register(t, map[string]any{"id": "shop-box", "name": "Box", "grant_types": grants, "scopes": words("points:read offline_access")})
	t.Run("V1 before the person has answered", func(t *testing.T) {
		refuses(t, p.poll(t, "shop-tv", p.device(t).code), 400, "authorization_pending")
	})
	t.Run("V2 too often", func(t *testing.T) {
		code := p.device(t).code
		refuses(t, p.poll(t, "shop-tv", code), 400, "authorization_pending")
		refuses(t, p.poll(t, "shop-tv", code), 400, "slow_down")
		p.change(t, `UPDATE device_codes SET polled_at = polled_at - 8000000 WHERE poll_interval = 10`)
		refuses(t, p.poll(t, "shop-tv", code), 400, "slow_down") // it is ten seconds by now, not five
	})
	t.Run("V3 too late", func(t *testing.T) {
		d := p.device(t)
		p.change(t, fmt.Sprintf(`UPDATE device_codes SET expires_at = %d WHERE status = 'pending' AND used_at IS NULL`, time.Now().UnixMicro()))
		refuses(t, p.poll(t, "shop-tv", d.code), 400, "expired_token")
		if page := p.types(t, d.user, "approve"); page.Status != http.StatusBadRequest {
			t.Errorf("the person lets it in: %s", page)
		}
	})
	t.Run("V4 denied", func(t *testing.T) {
		d := p.device(t)
		p.types(t, d.user, "deny")
		refuses(t, p.poll(t, "shop-tv", d.code), 400, "access_denied")
	})
	t.Run("V5 a second time", func(t *testing.T) { p.redeemedOnce(t) })
	t.Run("V6 another client", func(t *testing.T) {
		d := p.device(t)
		refuses(t, p.poll(t, "shop-box", d.code), 400, "invalid_grant")
		p.types(t, d.user, "approve")
		refuses(t, p.poll(t, "shop-box", d.code), 400, "invalid_grant")
		accepts(t, p.poll(t, "shop-tv", d.code))
	})
	t.Run("V8 in small letters, without the dash", func(t *testing.T) {
		d := p.device(t)
		p.types(t, strings.ToLower(strings.Replace(d.user, "-", "", 1)), "approve")
		accepts(t, p.poll(t, "shop-tv", d.code))
	})
	t.Run("V9 a client without the grant", func(t *testing.T) {
		refuses(t, p.post(t, "/oauth2/device_authorization", "demo-spa", url.Values{"scope": {"points:read"}}), 400, "unauthorized_client")
		refuses(t, p.poll(t, "demo-spa", p.device(t).code), 400, "unauthorized_client")
	})
	t.Run("V10 a link with the code in it", func(t *testing.T) {
		d := p.device(t)
		page := must(p.alice.Open(d.complete))(t)
		if f, ok := deviceForm(t, page); !ok || f.Fields.Get("user_code") != d.user || bytes.Contains(page.Body, []byte("Television")) {
			t.Errorf("it is not to be compared and sent: %s", page)
		}
		refuses(t, p.poll(t, "shop-tv", d.code), 400, "authorization_pending")
		wantPageHeaders(t, page)
	})
}

func (p *proof) redeemedOnce(t *testing.T) {
	d := p.device(t)
	if page := p.types(t, d.user, "approve"); !bytes.Contains(page.Body, []byte("Your device is connected")) {
		t.Fatal(page)
	}
	answers := make(chan *harness.Answer, 20)
	for range cap(answers) {
		go func() { answers <- p.poll(t, "shop-tv", d.code) }()
	}
	var won *harness.Answer
	for range cap(answers) {
		if a := <-answers; a.Status == http.StatusOK && won == nil {
			won = a
		} else {
			refuses(t, a, 400, "invalid_grant")
		}
	}
	if won == nil {
		t.Fatal("nobody got tokens")
	}
	if a := must(p.Get("/api/points", must(won.At("access_token"))(t)))(t); a.Status != http.StatusUnauthorized {
		t.Errorf("a code that is used twice leaves its token alive: %s", a)
	}
	refuses(t, p.post(t, "/oauth2/token", "shop-tv", again(must(won.At("refresh_token"))(t))), 400, "invalid_grant")
}

// guesses: nobody finds the code of a device by trying; for a program with limits.
func (p *proof) guesses(t *testing.T) {
	for n := range 30 {
		page := p.types(t, "BCDF-GHJK", "approve")
		if page.Status == http.StatusTooManyRequests {
			if n < 5 || page.Header.Get("Retry-After") == "" {
				t.Errorf("after %d guesses: %s", n, page)
			}
			return
		}
		if page.Status != http.StatusBadRequest {
			t.Fatal(page)
		}
	}
	t.Error("30 guesses, and nobody minds")
}
