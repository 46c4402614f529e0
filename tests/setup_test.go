package tests

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/tests/harness"
)

var tokenOnPage = regexp.MustCompile(`pgt_[0-9A-Za-z]+`)

// TestFromTheSetupLinkToTheCommandLine is the first day of an installation that
// is no demo: the printed link, the administrator, a token from the page, the
// admin API and the commands with it, and its end.
func TestFromTheSetupLinkToTheCommandLine(t *testing.T) {
	s := harness.Start(t, harness.Options{Real: true})
	admin := s.NewBrowser(false)
	page := must(admin.Open(must(s.SetupLink())(t)))(t)
	page = fill(t, admin, page, "/setup", url.Values{
		"email": {"root@shop.example"}, "name": {"Root"}, "password": {"a password of root"}, "password_again": {"a password of root"},
	})
	if page.Status != http.StatusOK || !strings.Contains(string(page.Body), `href="/account/tokens">Make an API token`) {
		t.Fatalf("after the setup: %s", page)
	}
	if a := must(admin.Open("/admin/api/clients"))(t); a.Status != http.StatusUnauthorized {
		t.Errorf("the admin API with a cookie: %d, want 401", a.Status)
	}
	made := fill(t, admin, must(admin.Open("/account/tokens"))(t), "/account/tokens#new", url.Values{"name": {"laptop"}, "scope": {"admin"}})
	token := tokenOnPage.FindString(string(made.Body))
	if made.Status != http.StatusCreated || token == "" {
		t.Fatalf("no token: %s", made)
	}

	if a := must(s.Get("/admin/api/clients", token))(t); a.Status != http.StatusOK {
		t.Fatalf("the admin API: %s", a)
	}
	list := exec.Command(must(harness.Binary())(t), "client", "list", "--url", s.URL)
	list.Env = append(os.Environ(), "POINTGATE_TOKEN="+token)
	if out, err := list.CombinedOutput(); err != nil {
		t.Errorf("pointgate client list: %v\n%s", err, out)
	}
	customerHasNoTokens(t, s, token)

	if page = fill(t, admin, must(admin.Open("/account/tokens"))(t), "/account/tokens/revoke", nil); page.Status != http.StatusOK {
		t.Errorf("revoke: %s", page)
	}
	if a := must(s.Get("/admin/api/clients", token))(t); a.Status != http.StatusUnauthorized || a.Code() != "revoked_credentials" {
		t.Errorf("after it was revoked: %s, want 401 revoked_credentials", a)
	}
}

// customerHasNoTokens adds a customer with the token, and has them refused.
func customerHasNoTokens(t *testing.T, s *harness.Server, token string) {
	t.Helper()
	carol := harness.Person{Email: "carol@shop.example", Password: "a password of carol"}
	a := must(s.Post("/admin/api/customers", token, map[string]any{"email": carol.Email, "name": "Carol", "password": carol.Password}))(t)
	if a.Status != http.StatusCreated {
		t.Fatalf("no customer: %s", a)
	}
	b := s.NewBrowser(false)
	account := must(b.Login(carol, ""))(t)
	if account.Status != http.StatusOK || strings.Contains(string(account.Body), "/account/tokens") {
		t.Errorf("the account of a customer: %s", account)
	}
	if a = must(b.Open("/account/tokens"))(t); a.Status != http.StatusForbidden {
		t.Errorf("tokens of a customer: %d, want 403", a.Status)
	}
}

// fill sends the page's form with this action, its fields changed.
func fill(t *testing.T, b *harness.Browser, page *harness.Answer, action string, change url.Values) *harness.Answer {
	t.Helper()
	forms := must(harness.Forms(page.Body))(t)
	i := slices.IndexFunc(forms, func(f harness.Form) bool { return f.Action == action })
	if i < 0 {
		t.Fatalf("no form to %s in %s", action, page)
	}
	for name, values := range change {
		forms[i].Fields[name] = values
	}
	return must(b.Submit(forms[i]))(t)
}
