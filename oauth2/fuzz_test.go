package oauth2

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

var loopbackPort = regexp.MustCompile(`^(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]*)?(/.*)?$`)

// FuzzRedirect: a code goes to an address that is registered, letter by letter;
// on this machine's own addresses the port may be another.
func FuzzRedirect(f *testing.F) {
	c := &client{Client: &store.Client{RedirectURIs: store.Words{
		"http://127.0.0.1:9090/callback", "http://[::1]/cb?a=b", "http://localhost:3000/", "https://app.example/cb?x=1", "com.example.app:/cb",
	}}}
	for _, sent := range append(c.RedirectURIs,
		"http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "https://127.0.0.1:9090/callback", "http://evil@127.0.0.1:9090/callback",
		"http://127.0.0.1:9090\\@evil.example/callback", "http://127.0.0.1:9090/callback#", "http://127.0.0.1:9090/x/../callback",
		"http://[::ffff:127.0.0.1]:9090/callback", "http://127.0.0.1:9090/callback\r\nX: y", "HTTP://127.0.0.1:9090/callback", "javascript:alert(1)", "",
	) {
		f.Add(sent)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		u, err := c.target(context.Background(), sent)
		if err != nil {
			if u != nil {
				t.Errorf("%q is refused, and %s comes back", sent, u)
			}
			return
		}
		if u.String() != sent || u.User != nil || strings.ContainsAny(sent, "\r\n\t \\#\x00") {
			t.Errorf("%q is taken for %s", sent, u)
		}
		port := func(s string) []string { return append(loopbackPort.FindStringSubmatch(s), "", "", "")[1:3] }
		same := func(registered string) bool {
			return registered == sent || port(sent)[0] != "" && slices.Equal(port(registered), port(sent))
		}
		if !slices.ContainsFunc(c.RedirectURIs, same) {
			t.Errorf("%q is registered nowhere", sent)
		}
	})
}

// FuzzScope: whatever is written there, what may be granted are scopes that were
// asked for in exactly these letters, and that the client has.
func FuzzScope(f *testing.F) {
	db := storetest.SQLite(f)
	tenant := storetest.Tenant(f, db, "demo")
	app := storetest.Client(f, db, "demo", "app", func(c *store.Client) {
		c.Public, c.Scopes = true, store.Words{"points:read", "openid", "offline_access"}
	})
	service := storetest.Client(f, db, "demo", "service", func(c *store.Client) { c.GrantTypes, c.RedirectURIs = store.Words{"client_credentials"}, nil })
	storetest.Write(f, db, func(tx *store.Tx) error {
		return tx.InsertClientSecret(context.Background(), &store.ClientSecret{ID: "sec_1", Tenant: "demo", ClientID: "service", Hash: HashSecret("secret"), CreatedAt: tx.Now()})
	})
	p := newProvider(f, db)
	for _, s := range []string{
		"points:read", "points:read offline_access", "points:read  openid", " points:read", "points:read\topenid", "Points:Read", "points:*", "points:read points:read",
		"points:read,openid", "\"points:read\"", "points:write", "points:read\x00", "points:read\u00a0openid", "\u00a0points:read", "points:read\n", "offline_access", "", " ",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, scope string) {
		flow, err := p.Authorize(context.Background(), tenant, url.Values{
			"response_type": {"code"}, "client_id": {app.ID}, "scope": {scope}, "redirect_uri": {app.RedirectURIs[0]},
			"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"},
		})
		if onlyErrors(t, err) {
			exactly(t, scope, flow.Scopes, app)
		}
		got, err := p.Token(context.Background(), &Request{Tenant: tenant, Form: url.Values{
			"grant_type": {"client_credentials"}, "scope": {scope}, "client_id": {service.ID}, "client_secret": {"secret"},
		}})
		if onlyErrors(t, err) && scope != "" {
			exactly(t, scope, got.Act.Scopes, service)
		}
	})
}

// onlyErrors reports whether there is none; one must be a refusal of the scope.
func onlyErrors(t *testing.T, err error) bool {
	t.Helper()
	var e *Error
	if err != nil && (!errors.As(err, &e) || e.Code != "invalid_scope") {
		t.Errorf("refused by %v", err)
	}
	return err == nil
}

func exactly(t *testing.T, asked string, granted []string, c *store.Client) {
	t.Helper()
	for _, s := range granted {
		if !slices.Contains(strings.Split(asked, " "), s) || !slices.Contains(c.Scopes, s) {
			t.Errorf("%q gets %q, which the client asked for in other words, or has not", asked, s)
		}
	}
}
