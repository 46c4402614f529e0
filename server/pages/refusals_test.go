package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/authn"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// What never became an operation is counted, by the code of its cause; what was
// looked at, and was wrong, is not.
func TestRefusalsAreCounted(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	tooOften := func(string, int) (time.Duration, bool) { return time.Minute, false }
	form := func(b *browser, path string) url.Values { return b.get(path).fields() }
	for _, c := range []struct {
		name string
		send func(b *browser)
		want []string
	}{
		{"a good login", func(b *browser) { b.login("cus_alice@demo.example") }, nil},
		{"a wrong password", func(b *browser) { b.post("/login", form(b, "/login")) }, nil},
		{"a login too many", func(b *browser) {
			f := form(b, "/login")
			e.Throttle = tooOften
			b.post("/login", f)
			e.Throttle = nil
		}, []string{"rate_limited"}},
		{"a login without its token", func(b *browser) { b.post("/login", url.Values{}) }, []string{"denied"}},
		{"a field twice", func(b *browser) { b.post("/login", url.Values{"email": {"a", "b"}}) }, []string{"invalid_request"}},
		{"a login as JSON", func(b *browser) {
			b.header = map[string]string{"Content-Type": "application/json"}
			b.post("/login", url.Values{})
		}, []string{"unsupported_media_type"}},
		{"a setup without its token", func(b *browser) { b.post("/setup", url.Values{}) }, []string{"denied"}},
		{"a guessed setup link", func(b *browser) { b.get("/setup?link=x") }, []string{"not_found"}},
		{"a consent to nothing", func(b *browser) { b.login("cus_alice@demo.example"); b.get("/consent?flow=x") }, []string{"invalid_request"}},
		{"a consent of nobody", func(b *browser) { b.post("/consent", url.Values{}) }, []string{"missing_credentials"}},
		{"a consent without its token", func(b *browser) { b.login("cus_alice@demo.example"); b.post("/consent", url.Values{}) }, []string{"denied"}},
		{"a form behind the gate", func(b *browser) { b.login("cus_alice@demo.example"); b.post("/account/apps/revoke", url.Values{}) }, nil},
		{"a file that is not there", func(b *browser) { b.get("/static/x") }, []string{"not_found"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e.refused = nil
			c.send(e.browser())
			if diff := cmp.Diff(c.want, e.refused); diff != "" {
				t.Error(diff)
			}
			if len(c.want) > 0 && e.event.Refused != c.want[0] {
				t.Errorf("the event says refused %q, want %q", e.event.Refused, c.want[0])
			}
		})
	}
}

type denying struct{}

func (denying) Decide(context.Context, *policies.Request) (*policies.Decision, error) {
	return &policies.Decision{Status: 403, Code: "denied", Input: []byte("{}"), Result: []byte("{}")}, nil
}

// toSetUp is the form of a good setup link, filled in.
func (b *browser) toSetUp() url.Values {
	b.t.Helper()
	secret, row := authn.NewSetupLink("demo", b.now)
	storetest.Write(b.t, b.db, func(tx *store.Tx) error { return tx.InsertSetupLink(context.Background(), &row) })
	f := b.get("/setup?link=" + secret).fields()
	f.Set("email", "root@demo.example")
	f.Set("name", "Root")
	f.Set("password", password)
	f.Set("password_again", password)
	return f
}

// nobodyIsSetUp checks what is told of a setup that failed, and that it did.
func (e *env) nobodyIsSetUp(r *reply, status int, code string) {
	e.t.Helper()
	r.is(e.t, status, "")
	if e.event.Code != code {
		e.t.Errorf("code %q, want %q", e.event.Code, code)
	}
	if n, err := e.db.CountStaff(context.Background(), "demo"); n != 0 || err != nil {
		e.t.Errorf("%d members of staff, %v", n, err)
	}
}

func TestSetupThatThePolicyDenies(t *testing.T) {
	e := newEnv(t)
	b := e.browser()
	f := b.toSetUp()
	e.Gate.Policy = denying{}
	r := b.post("/setup", f)
	e.nobodyIsSetUp(r, http.StatusForbidden, "denied")
	if r.Header.Get("X-Decision-Id") == "" {
		t.Error("the decision is not named")
	}
}

func TestSetupWhileTooManyPasswordsAreHashed(t *testing.T) {
	e := newEnv(t)
	b := e.browser()
	f := b.toSetUp()
	e.Passwords = new(authn.Passwords) // whose turn never comes
	e.timeout = time.Second
	e.nobodyIsSetUp(b.post("/setup", f), http.StatusServiceUnavailable, "store_unavailable")
}
