package tests

import (
	"database/sql"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store/storetest"
	"github.com/pointgate/pointgate/tests/harness"
)

// TestOAuthFloods is TestOAuth for the limits, which the demo has off elsewhere.
func TestOAuthFloods(t *testing.T) {
	onDatabases(t, func(t *testing.T, database string) {
		p := newProof(t, harness.Options{Database: database, Limits: true})
		t.Run("V7 the codes of devices are guessed", p.guesses)
		const flood = 400
		for name, path := range map[string]string{
			"T29 of guesses": "/oauth2/token", "P8 of pushes": "/oauth2/par",
		} {
			t.Run(name, func(t *testing.T) {
				for range flood {
					a := must(p.Form(p.URL+path, "demo-web", "wrong", url.Values{"grant_type": {"client_credentials"}}))(t)
					if a.Status == http.StatusTooManyRequests {
						if a.Header.Get("Retry-After") == "" {
							t.Error("no Retry-After")
						}
						return
					}
					if a.Status != http.StatusUnauthorized {
						t.Fatal(a)
					}
				}
				t.Errorf("%d guesses, and nobody minds", flood)
			})
		}
	})
}

// onDatabases runs a test for an empty database of each kind, both at the same time.
func onDatabases(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, "") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, storetest.Postgres(t)) })
}

// TestOAuthWithoutItsDatabase: nothing is called done that is not.
func TestOAuthWithoutItsDatabase(t *testing.T) {
	onDatabases(t, func(t *testing.T, database string) {
		p := newProof(t, harness.Options{Database: database})
		live := p.tokens(t, "demo-web")
		mend := p.breakDatabase(t, database)
		unavailable := func(t *testing.T, a *harness.Answer) {
			t.Helper()
			if c := a.Code(); a.Status != 503 && a.Status != 500 || c != "temporarily_unavailable" && c != "server_error" {
				t.Errorf("got %s", a)
			}
			plain(t, a)
		}
		web, service := p.apps["demo-web"], p.apps["demo-service"]
		answers := atOnce(t, 3, func(i int) (*harness.Answer, error) { // SQLite waits five seconds for a lock
			return []func() (*harness.Answer, error){
				func() (*harness.Answer, error) { return p.Refresh(web, live.Refresh) },
				func() (*harness.Answer, error) {
					return p.Token(service, url.Values{"grant_type": {"client_credentials"}})
				},
				func() (*harness.Answer, error) {
					return p.Form(p.URL+"/oauth2/revoke", web.ID, web.Secret, shows(live.Refresh))
				},
			}[i]()
		})
		mend()
		t.Run("T30 no refresh", func(t *testing.T) { unavailable(t, answers[0]) })
		t.Run("T30 no tokens", func(t *testing.T) { unavailable(t, answers[1]) })
		t.Run("R8 not revoked", func(t *testing.T) { unavailable(t, answers[2]) })
		t.Run("T30 it goes on as if nothing had been", func(t *testing.T) {
			var next *harness.Answer
			until(t, func() bool {
				next = p.post(t, "/oauth2/token", "demo-web", again(live.Refresh))
				return next.Status == http.StatusOK
			})
			accepts(t, next)
		})
	})
}

// breakDatabase keeps the program from writing: SQLite by a lock that somebody
// else holds, PostgreSQL by ending its connections and taking no new ones.
func (p *proof) breakDatabase(t *testing.T, database string) (mend func()) {
	t.Helper()
	run := func(on interface {
		Exec(string, ...any) (sql.Result, error)
	}, statements ...string) {
		t.Helper()
		for _, s := range statements {
			if _, err := on.Exec(s); err != nil {
				t.Fatal(s, err)
			}
		}
	}
	if database == "" {
		p.rows.SetMaxOpenConns(1)
		run(p.rows, `BEGIN IMMEDIATE`)
		return func() { run(p.rows, `ROLLBACK`) }
	}
	u := must(url.Parse(database))(t)
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	admin := must(sql.Open("pgx", u.String()))(t)
	t.Cleanup(func() { _ = admin.Close() })
	run(admin, `ALTER DATABASE `+name+` ALLOW_CONNECTIONS false`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '`+name+`'`)
	return func() { run(admin, `ALTER DATABASE `+name+` ALLOW_CONNECTIONS true`) }
}

// TestOAuthUnderABrokenPolicy: where the policy says nothing, or contradicts
// itself, the answer is no.
func TestOAuthUnderABrokenPolicy(t *testing.T) {
	dir := t.TempDir()
	s := harness.Start(t, harness.Options{Dir: dir})
	service := must(s.Service(harness.Apps["demo-service"], "points:read"))(t)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	const yes = `{"allow": true, "status": 200, "code": "ok", "reasons": [], "needed": [], "obligations": {}}`
	for name, rules := range map[string]string{
		"S9 nothing is said":       "decision := " + yes + " if input.action.name == \"nothing.ever\"\n",
		"S9 two things are said":   "decision := " + yes + " if input.action.name\n\ndecision := {\"allow\": false} if input.action.name\n",
		"S9 something odd is said": "decision := \"yes\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			policy := t.TempDir()
			for file, content := range map[string]string{"main.rego": "package pointgate\n\n" + rules, "data.json": "{}"} {
				if err := os.WriteFile(filepath.Join(policy, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			broken := harness.Start(t, harness.Options{Dir: dir, Args: []string{"--policy-dir", policy, "--public-url", s.URL}})
			a := must(broken.Get("/api/points?customer_id=cus_alice", service.Access))(t)
			if a.Status != 403 && a.Status != 503 {
				t.Errorf("got %s", a)
			}
			if err := broken.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
