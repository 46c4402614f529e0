package pages_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// recorded is the newest record of an action, with what is looked at in its body.
type recorded struct {
	store.Record
	Input struct {
		Subject, Resource struct{ Type, ID string }
		Context           struct {
			Authentication struct{ Method, Status string }
			Request        struct{ ID, Path, IP string }
		}
	}
	Custom struct {
		Reason, Unknown, Replaced string
		Again                     bool
		AMR                       []string
	}
}

// recorded are the records of an action, oldest first.
func (e *env) recorded(action string) (out []recorded) {
	e.t.Helper()
	all, err := e.db.Decisions(context.Background(), store.DecisionFilter{Tenant: "demo", Action: action, Tail: true, After: -1, Limit: 100})
	must(e.t, err)
	for _, r := range all {
		one := recorded{Record: r}
		must(e.t, json.Unmarshal(r.Body, &one))
		out = append(out, one)
	}
	return out
}

// attempt sends the login form and returns the answer.
func (b *browser) attempt(email, password string) *reply {
	f := b.get("/login").fields()
	f.Set("email", email)
	f.Set("password", password)
	return b.post("/login", f)
}

func TestLoginIsRecorded(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	b := e.browser()
	b.login("cus_alice@demo.example")
	request := e.event.RequestID
	all := e.recorded("login.succeed")
	if len(all) != 1 {
		t.Fatalf("%d records", len(all))
	}
	r := all[0]
	if r.Subject != "cus_alice" || !r.Allow || r.Code != "ok" || r.Status != 303 || r.Request != request || !strings.HasPrefix(r.Resource, "ses_") || r.Grant != r.Resource {
		t.Errorf("the columns are %+v", r.Record)
	}
	if r.Input.Context.Authentication != (struct{ Method, Status string }{"password", "valid"}) || r.Input.Resource.Type != "session" || r.Custom.Replaced != "" {
		t.Errorf("the body is %s", r.Body)
	}
	if diff := cmp.Diff([]string{"pwd"}, r.Custom.AMR); diff != "" {
		t.Error(diff)
	}
	// Once more in the same browser: the same person's session goes on, another's ends.
	e.user("cus_bob")
	for _, email := range []string{"cus_alice@demo.example", "cus_bob@demo.example"} {
		other := e.browser()
		form := other.get("/login").fields()
		other.cookies["pg_session"] = b.cookies["pg_session"]
		form.Set("email", email)
		form.Set("password", password)
		other.post("/login", form).is(t, http.StatusSeeOther, "/account")
		b = other
	}
	all = e.recorded("login.succeed")
	if len(all) != 3 || all[1].Resource != r.Resource || !all[1].Custom.Again || all[1].Custom.Replaced != "" {
		t.Errorf("after the second login: %d records, %s", len(all), all[1].Body)
	}
	if last := all[2]; last.Resource == r.Resource || last.Custom.Again || last.Custom.Replaced != r.Resource {
		t.Errorf("after another's login: %s", last.Body)
	}
}

// TestFailedLoginsAreRecorded: guesses can be counted for each account, and
// nothing that was typed is kept.
func TestFailedLoginsAreRecorded(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	gone := e.user("cus_gone")
	gone.DisabledAt = store.At(e.now)
	storetest.Write(t, e.db, func(tx *store.Tx) error { return tx.UpdateUser(context.Background(), gone) })
	const typed, guess = "My-Secret-Passw0rd", "another-guess"
	type row struct{ subject, kind, reason, unknown string }
	for _, c := range []struct {
		name, email string
		want        row
	}{
		{"a wrong password", "cus_alice@demo.example", row{"cus_alice", "customer", "wrong_password", ""}},
		{"a disabled account", gone.Email, row{"cus_gone", "customer", "disabled_account", ""}},
		{"a password in the wrong field", typed, row{"", "anonymous", "unknown_account", e.Forms.Bucket("demo", typed)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(e.recorded("login.fail"))
			e.browser().attempt(c.email, guess).is(t, http.StatusUnauthorized, "")
			all := e.recorded("login.fail")
			if len(all) != before+1 {
				t.Fatalf("%d records, want one more than %d", len(all), before)
			}
			r := all[before]
			if got := (row{r.Subject, r.Input.Subject.Type, r.Custom.Reason, r.Custom.Unknown}); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if r.Allow || r.Code != "invalid_credentials" || r.Status != 401 || r.Resource != r.Subject || r.Request != e.event.RequestID {
				t.Errorf("the columns are %+v", r.Record)
			}
			if r.Input.Context.Authentication != (struct{ Method, Status string }{"password", "invalid"}) {
				t.Errorf("the body is %s", r.Body)
			}
			for _, secret := range []string{typed, strings.ToLower(typed), guess, "@"} {
				if strings.Contains(string(r.Body), secret) {
					t.Errorf("%s is in %s", secret, r.Body)
				}
			}
		})
	}
	if a, b := e.Forms.Bucket("demo", " "+strings.ToUpper(typed)), e.Forms.Bucket("demo", typed); a != b || len(a) != 4 || a == e.Forms.Bucket("other", typed) {
		t.Errorf("buckets %s and %s", a, b)
	}
}

// blockLog takes the place of the next record, so that there can be none. There
// must be one before it.
func (e *env) blockLog() {
	e.t.Helper()
	storetest.Write(e.t, e.db, func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO batches SELECT (SELECT size FROM log_head), 1, entries, keys, bodies FROM batches LIMIT 1`)
		return err
	})
}

// TestNoLoginWithoutItsRecord: where the log takes no record, nobody is signed
// in, and nobody is told whether a password was right.
func TestNoLoginWithoutItsRecord(t *testing.T) {
	e := newEnv(t)
	e.user("cus_alice")
	e.browser().attempt("cus_alice@demo.example", "wrong")
	e.blockLog()
	for name, guess := range map[string]string{"the right password": password, "a wrong one": "wrong"} {
		t.Run(name, func(t *testing.T) {
			b := e.browser()
			r := b.attempt("cus_alice@demo.example", guess)
			if r.StatusCode != http.StatusServiceUnavailable || b.cookies["pg_session"] != "" {
				t.Errorf("answer %d, cookies %v", r.StatusCode, b.cookies)
			}
		})
	}
}

func TestSetupSignsInWithARecord(t *testing.T) {
	e := newEnv(t)
	b := e.browser()
	b.post("/setup", b.toSetUp()).is(t, http.StatusSeeOther, "/account?done=setup")
	made, in := e.recorded("setup.complete"), e.recorded("login.succeed")
	if len(made) != 1 || len(in) != 1 || in[0].Subject != made[0].Resource || in[0].Request != made[0].Request {
		t.Errorf("%d setups and %d logins", len(made), len(in))
	}
}

func TestConsentIsRecorded(t *testing.T) {
	for _, c := range []struct {
		decision, action, code string
		scopes                 []string
	}{
		{"approve", "consent.grant", "ok", []string{"points:read"}},
		{"approve", "consent.deny", "access_denied", nil}, // nothing is ticked
		{"deny", "consent.deny", "access_denied", []string{"points:read"}},
	} {
		t.Run(c.decision+" to "+c.action, func(t *testing.T) {
			e := newEnv(t)
			e.client()
			e.user("cus_alice")
			b := e.browser()
			b.login("cus_alice@demo.example")
			f := b.get("/consent?flow=" + b.flow("cus_alice")).fields()
			f["scope"], f["decision"] = c.scopes, []string{c.decision}
			b.post("/consent", f)
			all := e.recorded(c.action)
			if len(all) != 1 {
				t.Fatalf("%d records of %s", len(all), c.action)
			}
			r := all[0]
			if r.Subject != "cus_alice" || r.Client != "web" || r.Code != c.code || r.Allow != (c.code == "ok") || r.Status != 303 || r.Request != e.event.RequestID {
				t.Errorf("the columns are %+v", r.Record)
			}
			if r.Input.Context.Authentication != (struct{ Method, Status string }{"session", "valid"}) || r.Input.Context.Request.Path != "/consent" {
				t.Errorf("the body is %s", r.Body)
			}
			if strings.Contains(string(r.Body), "pgc_") || len(e.recorded("consent.grant"))+len(e.recorded("consent.deny")) != 1 {
				t.Errorf("the body is %s", r.Body)
			}
		})
	}
}

// TestConsentThatIsNotRecorded: the browser goes nowhere.
func TestConsentThatIsNotRecorded(t *testing.T) {
	for _, decision := range []string{"approve", "deny"} {
		t.Run(decision, func(t *testing.T) {
			e := newEnv(t)
			e.client()
			e.user("cus_alice")
			b := e.browser()
			b.login("cus_alice@demo.example")
			f := b.get("/consent?flow=" + b.flow("cus_alice")).fields()
			f["scope"], f["decision"] = []string{"points:read"}, []string{decision}
			e.blockLog()
			r := b.post("/consent", f)
			if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Location") != "" || e.scopesGiven("cus_alice") != nil {
				t.Errorf("answer %d to %q, given %v", r.StatusCode, r.Header.Get("Location"), e.scopesGiven("cus_alice"))
			}
		})
	}
}
