package tests

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/pointgate/pointgate/store/storetest"
	"github.com/pointgate/pointgate/tests/harness"
)

// onBoth runs a test against a new demo on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, s *harness.Server)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, harness.Start(t, harness.Options{})) })
	t.Run("postgres", func(t *testing.T) { test(t, harness.Start(t, harness.Options{Database: storetest.Postgres(t)})) })
}

// atOnce calls f n times at the same moment.
func atOnce(t *testing.T, n int, f func(i int) (*harness.Answer, error)) []*harness.Answer {
	t.Helper()
	answers, errs := make([]*harness.Answer, n), make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			answers[i], errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return answers
}

// tally counts answers by status and code.
func tally(answers []*harness.Answer) map[string]int {
	counts := map[string]int{}
	for _, a := range answers {
		counts[fmt.Sprintf("%d %s", a.Status, a.Code())]++
	}
	return counts
}

func TestOneCodeRedeemedInParallel(t *testing.T) {
	onBoth(t, func(t *testing.T, s *harness.Server) {
		f := &harness.Flow{App: harness.Apps["demo-web"], Scopes: "points:read offline_access"}
		code := must(s.Code(harness.People["alice"], f))(t)
		answers := atOnce(t, 20, func(int) (*harness.Answer, error) { return s.Exchange(f, code) })
		counts := tally(answers)
		if counts["200 "] != 1 || counts["400 invalid_grant"] != 19 {
			t.Fatalf("want one 200 and nineteen invalid_grant, got %v", counts)
		}
		winner := first(t, answers, 200)
		if a := must(s.Get("/api/points", winner.Access))(t); a.Code() != "revoked_credentials" {
			t.Errorf("the winner's access token: %s", a)
		}
		if a := must(s.Refresh(f.App, winner.Refresh))(t); a.Code() != "invalid_grant" {
			t.Errorf("the winner's refresh token: %s", a)
		}
	})
}

func TestOneRefreshTokenUsedInParallelWithinItsGrace(t *testing.T) {
	onBoth(t, func(t *testing.T, s *harness.Server) {
		app := harness.Apps["demo-web"]
		was := must(s.Tokens(harness.People["alice"], app, "points:read offline_access"))(t)
		answers := atOnce(t, 20, func(int) (*harness.Answer, error) { return s.Refresh(app, was.Refresh) })
		next := first(t, answers, 200)
		for _, a := range answers {
			var got harness.Tokens
			if err := a.Decode(&got); a.Status != 200 || err != nil || got.Refresh != next.Refresh || got.Access != next.Access {
				t.Errorf("want the one successor, got %s", a)
			}
		}
		if a := must(s.Get("/api/points", next.Access))(t); a.Status != 200 {
			t.Errorf("the successor's access token: %s", a)
		}
		if a := must(s.Refresh(app, next.Refresh))(t); a.Status != 200 {
			t.Errorf("the successor: %s", a)
		}
	})
}

func TestOneRefreshTokenUsedInParallelWithoutGrace(t *testing.T) {
	onBoth(t, func(t *testing.T, s *harness.Server) {
		app := harness.Apps["demo-spa"]
		was := must(s.Tokens(harness.People["alice"], app, "points:read offline_access"))(t)
		answers := atOnce(t, 20, func(int) (*harness.Answer, error) { return s.Refresh(app, was.Refresh) })
		counts := tally(answers)
		if counts["200 "] > 1 || counts["200 "]+counts["400 invalid_grant"] != 20 {
			t.Fatalf("want at most one 200 and else invalid_grant, got %v", counts)
		}
		family := []string{was.Access}
		if counts["200 "] == 1 {
			next := first(t, answers, 200)
			family = append(family, next.Access)
			if a := must(s.Refresh(app, next.Refresh))(t); a.Code() != "invalid_grant" {
				t.Errorf("the successor of a token used twice: %s", a)
			}
		}
		for _, token := range family {
			if a := must(s.Get("/api/points", token))(t); a.Code() != "revoked_credentials" {
				t.Errorf("an access token of the family: %s", a)
			}
		}
	})
}

func TestTheLastPointsRedeemedInParallel(t *testing.T) {
	onBoth(t, func(t *testing.T, s *harness.Server) {
		service := must(s.Service(harness.Apps["demo-service"], "points:read points:write"))(t)
		answers := atOnce(t, 200, func(int) (*harness.Answer, error) {
			return s.Post("/api/points/redeem", service.Access, order{Customer: "cus_bob", Points: 2, Reason: "the last"})
		})
		counts := tally(answers)
		if counts["201 "] != 150 || counts["409 insufficient_points"] != 50 {
			t.Errorf("want 150 of 201 and 50 of insufficient_points, got %v", counts)
		}
		for _, a := range answers {
			if left, err := a.At("balance.balance"); a.Status == 201 && (err != nil || left[0] == '-') {
				t.Errorf("a balance below zero: %s", a)
			}
		}
		if balance := ledgerAgrees(t, s, "cus_bob"); balance != 0 {
			t.Errorf("want 0 points left, got %d", balance)
		}
	})
}

func TestTheDailyLimitInParallel(t *testing.T) {
	onBoth(t, func(t *testing.T, s *harness.Server) {
		customers := []string{"cus_alice", "cus_bob"}
		counts := tally(atOnce(t, 40, func(i int) (*harness.Answer, error) {
			return s.Post("/api/points/adjust", s.Demo.ManagerToken, order{Customer: customers[i%2], Points: 100, Reason: "many hands"})
		}))
		if counts["201 "] != 10 || counts["403 over_daily_limit"] != 30 {
			t.Errorf("want ten adjustments and else over_daily_limit, got %v", counts)
		}
		if sum := ledgerAgrees(t, s, "cus_alice") + ledgerAgrees(t, s, "cus_bob"); sum != 1200+300+1000 {
			t.Errorf("want 1,000 points more than in the beginning, got %d", sum-1500)
		}
	})
}

// order is the body of a request that moves points.
type order struct {
	Customer string `json:"customer_id"`
	Points   int64  `json:"points"`
	Reason   string `json:"reason"`
}

// line is what the tests look at in a line of the ledger.
type line struct {
	ID           string `json:"id"`
	Type         string `json:"type"`
	Points       int64  `json:"points"`
	BalanceAfter int64  `json:"balance_after"`
	DecisionID   string `json:"decision_id"`
}

// ledgerAgrees checks that a customer's lines sum to the balance, and returns it.
func ledgerAgrees(t *testing.T, s *harness.Server, customer string) int64 {
	t.Helper()
	var now struct{ Balance int64 }
	a := must(s.Get("/api/points?customer_id="+customer, s.Demo.ViewerToken))(t)
	if err := a.Decode(&now); err != nil || a.Status != http.StatusOK {
		t.Fatalf("balance: %s %v", a, err)
	}
	var sum int64
	for _, l := range must(ledger(s, customer))(t) {
		if sum += l.Points; l.BalanceAfter < 0 {
			t.Errorf("line %s leaves %d", l.ID, l.BalanceAfter)
		}
	}
	if sum != now.Balance {
		t.Errorf("the ledger of %s sums to %d, the balance is %d", customer, sum, now.Balance)
	}
	return now.Balance
}

func ledger(s *harness.Server, customer string) ([]line, error) {
	return harness.List[line](s, "/api/points/transactions", s.Demo.ViewerToken, url.Values{"customer_id": {customer}})
}

// first reads the tokens of the first answer with the status.
func first(t *testing.T, answers []*harness.Answer, status int) *harness.Tokens {
	t.Helper()
	for _, a := range answers {
		if a.Status == status {
			got := new(harness.Tokens)
			if err := a.Decode(got); err != nil {
				t.Fatal(err)
			}
			return got
		}
	}
	t.Fatalf("no %d among %v", status, tally(answers))
	return nil
}

// must makes a value of a call that may not fail: must(f())(t).
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
