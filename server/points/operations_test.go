package points_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// TestShapes: every key of the contract, and no other.
func TestShapes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		earned := w.post("service", "/api/points/earn",
			`{"customer_id":"cus_alice","points":100,"reason":"bought","expires_at":"2026-04-01T02:00:00+02:00"}`)
		want := `{"transaction":{"id":"txn_000002","customer_id":"cus_alice","type":"earn","points":100,"balance_after":100,
			"reason":"bought","actor":"demo-service","client_id":"demo-service","request_id":"REQ","decision_id":"dec_1","related_id":null,
			"created_at":"2026-03-01T12:00:00Z","effective_at":"2026-03-01T12:00:00Z","expires_at":"2026-04-01T00:00:00Z"},
			"balance":{"customer_id":"cus_alice","balance":100,"available":100,"held":0,"lifetime_earned":100,
			"expiring":[{"points":100,"at":"2026-04-01T00:00:00Z"}],"as_of":"2026-03-01T12:00:00Z"}}`
		same(t, strings.Replace(want, "REQ", earned.text("transaction", "request_id"), 1), earned)

		same(t, `{"customer_id":"cus_bob","balance":0,"available":0,"held":0,"lifetime_earned":0,"expiring":[],"as_of":"2026-03-01T12:00:00Z"}`,
			w.get("bob", "/api/points"))

		held := w.post("alice", "/api/points/holds", `{"points":30,"reason":"a ticket","expires_in":60}`)
		same(t, `{"hold":{"id":"ID","customer_id":"cus_alice","points":30,"captured":0,"status":"held","reason":"a ticket",
			"expires_at":"2026-03-01T12:01:00Z"},"balance":{"customer_id":"cus_alice","balance":100,"available":70,"held":30,"lifetime_earned":100,
			"expiring":[{"points":70,"at":"2026-04-01T00:00:00Z"}],"as_of":"2026-03-01T12:00:00Z"}}`, held, "hold", "id")

		same(t, `{"data":[],"next_cursor":null}`, w.get("bob", "/api/points/transactions"))
	})
}

// same compares a whole answer; the member at path is made "ID" first.
func same(t *testing.T, want string, r *reply, path ...any) {
	t.Helper()
	got := r.raw
	if id := r.text(path...); id != "" {
		got = strings.ReplaceAll(got, id, "ID")
	}
	var a, b any
	if err := json.Unmarshal([]byte(want), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got), &b); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

func TestOperations(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn("cus_alice", 1000)
		t.Run("redeem", func(t *testing.T) {
			w.post("alice", "/api/points/redeem", `{"customer_id":"cus_alice","points":200,"reason":"coffee"}`).
				wants(t, 201, map[string]any{"transaction.points": -200, "transaction.type": "redeem", "transaction.actor": "cus_alice", "balance.balance": 800})
		})
		t.Run("redeem more than there is", func(t *testing.T) {
			w.call("alice", "POST", "/api/points/redeem", `{"points":801,"reason":"x"}`).
				wants(t, 409, map[string]any{"code": "insufficient_points"})
		})
		t.Run("capture a part", func(t *testing.T) {
			id := w.post("alice", "/api/points/holds", `{"points":50,"reason":"taxi"}`).text("hold", "id")
			w.call("alice", "POST", "/api/points/holds/"+id+"/capture", `{"points":51}`).
				wants(t, 422, map[string]any{"code": "validation_failed", "errors.0.field": "points"})
			w.post("service", "/api/points/holds/"+id+"/capture", `{"points":20}`).wants(t, 200, map[string]any{
				"hold.status": "captured", "hold.captured": 20, "transaction.points": -20, "transaction.related_id": id,
				"transaction.reason": "taxi", "balance.available": 780, "balance.held": 0})
			w.call("alice", "POST", "/api/points/holds/"+id+"/release", "").wants(t, 409, map[string]any{"code": "hold_closed"})
		})
		t.Run("capture all without a body", func(t *testing.T) {
			id := w.post("alice", "/api/points/holds", `{"points":10,"reason":"taxi"}`).text("hold", "id")
			w.post("alice", "/api/points/holds/"+id+"/capture", "").wants(t, 200, map[string]any{"hold.captured": 10, "balance.balance": 770})
		})
		t.Run("release", func(t *testing.T) {
			id := w.post("alice", "/api/points/holds", `{"points":70,"reason":"taxi"}`).text("hold", "id")
			r := w.post("alice", "/api/points/holds/"+id+"/release", "{}")
			r.wants(t, 200, map[string]any{"hold.status": "released", "hold.captured": 0, "balance.available": 770})
			if _, there := r.body["transaction"]; there {
				t.Errorf("a release is no line: %s", r.raw)
			}
		})
		t.Run("transfer", func(t *testing.T) {
			r := w.post("alice", "/api/points/transfer", `{"to_customer_id":"cus_bob","points":70,"reason":"for you"}`)
			r.wants(t, 201, map[string]any{"transactions.0.type": "transfer_out", "transactions.0.points": -70, "transactions.1": nil, "balance.balance": 700})
			if strings.Contains(r.raw, "cus_bob") {
				t.Errorf("it tells of the receiver: %s", r.raw)
			}
			w.get("bob", "/api/points/transactions").wants(t, 200, map[string]any{
				"data.0.type": "transfer_in", "data.0.related_id": r.at("transactions", 0, "id"), "data.0.balance_after": 70})
		})
		t.Run("adjust and reverse", func(t *testing.T) {
			r := w.post("manager", "/api/points/adjust", `{"customer_id":"cus_alice","points":-100,"reason":"goodwill","internal_note":"ticket 7"}`)
			r.wants(t, 201, map[string]any{"transaction.points": -100, "transaction.internal_note": "ticket 7", "balance.balance": 600})
			w.post("manager", "/api/points/transactions/"+r.text("transaction", "id")+"/reverse", `{"reason":"wrong customer"}`).
				wants(t, 201, map[string]any{"transaction.type": "reverse", "transaction.points": 100, "transaction.related_id": r.at("transaction", "id"), "balance.balance": 700})
			w.call("manager", "POST", "/api/points/transactions/"+r.text("transaction", "id")+"/reverse", `{"reason":"again"}`).
				wants(t, 409, map[string]any{"code": "conflict"})
			mine := w.get("alice", "/api/points/transactions?limit=5")
			if strings.Contains(mine.raw, "internal_note") || strings.Contains(mine.raw, "ticket 7") {
				t.Errorf("the customer reads an internal note: %s", mine.raw)
			}
			w.get("viewer", "/api/points/transactions?customer_id=cus_alice&type=adjust").wants(t, 200, map[string]any{"data.0.internal_note": "ticket 7"})
		})
		t.Run("earn over the limit of an account", func(t *testing.T) {
			storetest.Write(t, w.db, func(tx *store.Tx) error {
				for i := range 999 {
					l := &store.Line{ID: fmt.Sprintf("txn_rich%d", i), Tenant: "demo", CustomerID: "cus_alice", Type: store.LineEarn, Points: store.MaxPoints,
						CreatedAt: store.At(w.now()), EffectiveAt: store.At(w.now())}
					if err := tx.Credit(context.Background(), l); err != nil {
						return err
					}
				}
				return nil
			})
			w.call("service", "POST", "/api/points/earn", `{"customer_id":"cus_alice","points":1000000000,"reason":"x"}`).
				wants(t, 409, map[string]any{"code": "balance_limit"})
		})
		w.balanced()
	})
}

// TestReverseTransfer: both accounts, one decision.
func TestReverseTransfer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn("cus_alice", 100)
		out := w.post("alice", "/api/points/transfer", `{"to_customer_id":"cus_bob","points":60,"reason":"for you"}`).text("transactions", 0, "id")
		in := w.get("bob", "/api/points/transactions").text("data", 0, "id")
		w.call("admin", "POST", "/api/points/transactions/"+in+"/reverse", `{"reason":"fraud"}`).wants(t, 409, map[string]any{"code": "conflict"})
		r := w.post("admin", "/api/points/transactions/"+out+"/reverse", `{"reason":"fraud"}`)
		r.wants(t, 201, map[string]any{"transaction.points": 60, "balance.balance": 100})
		w.get("bob", "/api/points/transactions").wants(t, 200, map[string]any{
			"data.0.type": "reverse", "data.0.points": -60, "data.0.related_id": in, "data.0.decision_id": r.at("transaction", "decision_id")})
		w.balanced()
	})
}

func TestHistoryPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 7 {
			w.wait(time.Minute)
			w.earn("cus_alice", i+1)
		}
		w.post("alice", "/api/points/redeem", `{"points":3,"reason":"x"}`)
		var got []any
		pages := 0
		for uri := "/api/points/transactions?limit=3&type=earn"; uri != ""; pages++ {
			r := w.get("alice", uri)
			r.wants(t, 200, nil)
			for i := range r.at("data").([]any) {
				got = append(got, r.at("data", i, "points"))
			}
			uri = ""
			if next := r.text("next_cursor"); next != "" {
				uri = "/api/points/transactions?limit=3&type=earn&cursor=" + next
			}
		}
		if diff := cmp.Diff([]any{7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0}, got); diff != "" || pages != 3 {
			t.Errorf("%d pages: %s", pages, diff)
		}
		cursor := w.get("alice", "/api/points/transactions?limit=3&type=earn").text("next_cursor")
		for name, uri := range map[string]string{
			"another filter":   "?type=redeem&cursor=" + cursor,
			"another range":    "?type=earn&from=2026-01-01T00:00:00Z&cursor=" + cursor,
			"changed":          "?type=earn&cursor=" + cursor[:len(cursor)-1] + map[bool]string{true: "A", false: "Q"}[cursor[len(cursor)-1] != 'A'],
			"cut":              "?type=earn&cursor=" + cursor[:10],
			"no base64":        "?type=earn&cursor=%24%24",
			"another customer": "?type=earn&customer_id=cus_bob&cursor=" + cursor,
		} {
			who := "alice"
			if name == "another customer" {
				who = "viewer"
			}
			if r := w.get(who, "/api/points/transactions"+uri); r.status != 400 || r.code() != "invalid_request" {
				t.Errorf("%s: %d %s", name, r.status, r.raw)
			}
		}
		w.get("alice", "/api/points/transactions?from=2026-03-01T12:02:00Z&to=2026-03-01T12:03:00Z").
			wants(t, 200, map[string]any{"data.0.points": 2, "data.1": nil, "next_cursor": nil})
	})
}
