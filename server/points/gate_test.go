package points_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestIdempotency(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn("cus_alice", 100)
		send := func(who, uri, body string) *reply {
			return w.call(who, "POST", uri, body, "Idempotency-Key", "the-same-key")
		}
		const redeem = `{"customer_id":"cus_alice","points":60,"reason":"x"}`
		first, second := send("alice", "/api/points/redeem", redeem), send("alice", "/api/points/redeem", redeem)
		if first.status != 201 || first.replayed || second.status != 201 || !second.replayed || first.raw != second.raw {
			t.Errorf("%d %s\n%d %s", first.status, first.raw, second.status, second.raw)
		}
		send("alice", "/api/points/redeem", `{"customer_id":"cus_alice","points":61,"reason":"x"}`).
			wants(t, 422, map[string]any{"code": "idempotency_mismatch"})
		// Another route and another caller have keys of their own.
		send("alice", "/api/points/holds", `{"points":1,"reason":"x"}`).wants(t, 201, nil)
		send("service", "/api/points/redeem", redeem).wants(t, 409, map[string]any{"code": "insufficient_points"})
		w.earn("cus_alice", 100)
		if r := send("service", "/api/points/redeem", redeem); r.status != 409 || !r.replayed {
			t.Errorf("a 409 is an answer: %d %s", r.status, r.raw)
		}
		// A denial is none.
		send("viewer", "/api/points/redeem", redeem).wants(t, 403, map[string]any{"code": "missing_role"})
		if r := send("viewer", "/api/points/redeem", redeem); r.replayed {
			t.Errorf("a denial was kept: %s", r.raw)
		}
		w.wait(store.IdempotencyTTL + time.Minute)
		if r := send("alice", "/api/points/redeem", redeem); r.status != 201 || r.replayed {
			t.Errorf("after 24 hours: %d %s", r.status, r.raw)
		}
		w.balanced()
	})
}

// TestLastPoints: 200 at once through the gate; each answer has its record.
func TestLastPoints(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn("cus_alice", 50)
		got := at200(w, func() *reply { return w.call("alice", "POST", "/api/points/redeem", `{"points":1,"reason":"x"}`) })
		if diff := cmp.Diff(map[string]int{"201 ": 50, "409 insufficient_points": 150}, got); diff != "" {
			t.Error(diff)
		}
		w.get("alice", "/api/points").wants(t, 200, map[string]any{"balance": 0})
		records, err := w.db.Decisions(context.Background(), store.DecisionFilter{Tenant: "demo", Action: "points.redeem", Limit: 1000})
		if err != nil || len(records) != 200 {
			t.Errorf("%d records (%v)", len(records), err)
		}
		w.balanced()
	})
}

func at200(w *world, call func() *reply) map[string]int {
	var wg sync.WaitGroup
	replies := make([]*reply, 200)
	for i := range replies {
		wg.Go(func() { replies[i] = call() })
	}
	wg.Wait()
	n := map[string]int{}
	for _, r := range replies {
		n[fmt.Sprintf("%d %s", r.status, r.code())]++
	}
	return n
}

// TestDailyLimit: adjustments and reversals of a manager count together, over
// all accounts, until midnight UTC; a super_admin's have no limit.
func TestDailyLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		adjust := func(who, customer string, n int) *reply {
			return w.call(who, "POST", "/api/points/adjust", fmt.Sprintf(`{"customer_id":%q,"points":%d,"reason":"x"}`, customer, n))
		}
		adjust("admin", "cus_alice", 5000).wants(t, 201, nil)
		line := adjust("manager", "cus_alice", -400).text("transaction", "id")
		adjust("manager", "cus_bob", 201).wants(t, 201, nil)
		over := map[string]any{"code": "over_daily_limit"}
		w.call("manager", "POST", "/api/points/transactions/"+line+"/reverse", `{"reason":"x"}`).wants(t, 403, over)
		adjust("manager", "cus_alice", 399).wants(t, 201, nil)
		adjust("manager", "cus_alice", -1).wants(t, 403, over)
		w.wait(12 * time.Hour)
		w.call("manager", "POST", "/api/points/transactions/"+line+"/reverse", `{"reason":"x"}`).wants(t, 201, nil)
		adjust("manager", "cus_alice", 601).wants(t, 403, over)
		adjust("manager", "cus_alice", 600).wants(t, 201, nil)
		w.balanced()
	})
}

// TestDailyLimitAtOnce: all are decided on the same sum, and the obligation
// holds the line in the transaction.
func TestDailyLimitAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got := at200(w, func() *reply {
			return w.call("manager", "POST", "/api/points/adjust", `{"customer_id":"cus_alice","points":100,"reason":"x"}`)
		})
		if got["201 "] != 10 || got["201 "]+got["403 over_daily_limit"] != 200 {
			t.Errorf("%v", got)
		}
		w.get("alice", "/api/points").wants(t, 200, map[string]any{"balance": 1000})
	})
}

func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		expiring := `{"customer_id":%q,"points":%d,"reason":"x","expires_at":"2026-03-01T13:00:00Z"}`
		w.post("service", "/api/points/earn", expiring, "cus_alice", 10)
		w.post("service", "/api/points/earn", expiring, "cus_alice", 5)
		w.post("service", "/api/points/earn", expiring, "cus_bob", 1)
		w.post("bob", "/api/points/holds", `{"points":1,"reason":"x","expires_in":60}`)
		if n, err := w.Sweep(ctx); n != 0 || err != nil {
			t.Errorf("nothing was due: %d %v", n, err)
		}
		w.wait(time.Hour)
		w.get("alice", "/api/points").wants(t, 200, map[string]any{"balance": 0, "expiring.0": nil})
		var wg sync.WaitGroup
		var total [8]int
		for i := range total {
			wg.Go(func() {
				n, err := w.Sweep(ctx)
				if err != nil {
					t.Errorf("sweep: %v", err)
				}
				total[i] = n
			})
		}
		wg.Wait()
		last, err := w.Sweep(ctx)
		sum := last
		for _, n := range total {
			sum += n
		}
		if sum != 3 || err != nil { // bob's hold, alice's 15 points, bob's 1
			t.Errorf("%d expired (%v)", sum, err)
		}
		r := w.get("alice", "/api/points/transactions?type=expire")
		r.wants(t, 200, map[string]any{"data.0.points": -15, "data.1": nil, "data.0.actor": "pointgate", "data.0.client_id": nil,
			"data.0.effective_at": "2026-03-01T13:00:00Z", "data.0.reason": "Expired"})
		w.get("bob", "/api/points").wants(t, 200, map[string]any{"balance": 0, "held": 0})
		d, err := w.db.Decision(ctx, "demo", r.text("data", 0, "decision_id"))
		if err != nil || d.Action != "points.expire" || d.Subject != "pointgate" || !d.Allow {
			t.Errorf("its decision: %+v %v", d, err)
		}
		w.balanced()
	})
}

// TestSweepRefused: what the policy refuses stays, and stops nobody else's.
func TestSweepRefused(t *testing.T) {
	engine, err := policies.Open(policies.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, store.Options{Dir: t.TempDir()}, spare{engine, "cus_alice"})
	for _, who := range []string{"cus_alice", "cus_bob"} {
		w.post("service", "/api/points/earn", `{"customer_id":%q,"points":3,"reason":"x","expires_at":"2026-03-01T13:00:00Z"}`, who)
	}
	w.wait(time.Hour)
	if n, err := w.Sweep(context.Background()); n != 1 || err == nil {
		t.Errorf("%d %v", n, err)
	}
	w.get("bob", "/api/points/transactions").wants(t, 200, map[string]any{"data.0.type": "expire"})
	w.get("alice", "/api/points/transactions").wants(t, 200, map[string]any{"data.0.type": "earn"})
}

// spare is a policy that has no answer for what is done to one customer by the
// program itself.
type spare struct {
	*policies.Engine
	customer string
}

func (s spare) Decide(ctx context.Context, r *policies.Request) (*policies.Decision, error) {
	if r.Subject.Type == "system" && r.Resource.ID == s.customer {
		return &policies.Decision{Code: "denied"}, errors.New("no answer")
	}
	return s.Engine.Decide(ctx, r)
}

// TestRun: it sweeps without being asked, and ends with its context.
func TestRun(t *testing.T) {
	engine, err := policies.Open(policies.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	w := newWorld(t, store.Options{Dir: t.TempDir()}, listener{engine, asked})
	w.post("service", "/api/points/earn", `{"customer_id":"cus_alice","points":3,"reason":"x","expires_at":"2026-03-01T13:00:00Z"}`)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(ctx, time.Millisecond)
	}()
	w.wait(time.Hour)
	if action := <-asked; action != "points.expire" {
		t.Errorf("asked for %s", action)
	}
	cancel()
	<-ended
}

// listener tells of what the program asks for itself.
type listener struct {
	*policies.Engine
	asked chan string
}

func (l listener) Decide(ctx context.Context, r *policies.Request) (*policies.Decision, error) {
	if r.Subject.Type == "system" {
		select {
		case l.asked <- r.Action:
		default:
		}
	}
	return l.Engine.Decide(ctx, r)
}

// TestDisabled: a disabled customer is unknown to everybody.
func TestDisabled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		line := w.earn("cus_bob", 10).text("transaction", "id")
		ctx := context.Background()
		u, err := store.GetUser(ctx, w.db, "demo", "cus_bob")
		if err != nil {
			t.Fatal(err)
		}
		u.DisabledAt = store.At(w.now())
		storetest.Write(t, w.db, func(tx *store.Tx) error { return tx.UpdateUser(ctx, u) })
		w.get("viewer", "/api/points?customer_id=cus_bob").wants(t, 403, map[string]any{"code": "not_owner"})
		w.call("admin", "POST", "/api/points/transactions/"+line+"/reverse", `{"reason":"x"}`).wants(t, 404, map[string]any{"code": "not_found"})
		w.earn("cus_alice", 10)
		w.call("alice", "POST", "/api/points/transfer", `{"to_customer_id":"cus_bob","points":1,"reason":"x"}`).
			wants(t, 403, map[string]any{"code": "not_owner"})
	})
}
