package points_test

import (
	"testing"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/store"
)

// FuzzInput: whatever body, query and id a customer sends, no answer is a 5xx
// and the books agree.
func FuzzInput(f *testing.F) {
	f.Add(`{"customer_id":"cus_alice","points":1,"reason":"x"}`, "customer_id=cus_alice&limit=5", "hld_000001")
	f.Add(`{"to_customer_id":"cus_bob","points":1,"reason":"x","expires_in":60}`, "type=earn&from=2026-01-01T00:00:00Z", "txn_000001")
	f.Add("{\"points\":1e400,\"reason\":\"\\ud800\"}", "cursor=AAAA&a=%00", "\xff\x00/..")
	engine, err := policies.Open(policies.Embedded())
	if err != nil {
		f.Fatal(err)
	}
	w := newWorld(f, store.Options{Dir: f.TempDir()}, engine)
	w.earn("cus_alice", 1_000_000)
	f.Fuzz(func(t *testing.T, body, query, id string) {
		w.t = t
		for _, uri := range []string{"redeem", "transfer", "holds", "holds/" + id + "/capture", "holds/" + id + "/release", "transactions/" + id + "/reverse"} {
			if r := w.call("alice", "POST", "/api/points/"+uri, body); r.status >= 500 {
				t.Errorf("%s %q: %d %s", uri, body, r.status, r.raw)
			}
		}
		for _, uri := range []string{"", "/transactions"} {
			if r := w.get("alice", "/api/points"+uri+"?"+query); r.status >= 500 {
				t.Errorf("%s %q: %d %s", uri, query, r.status, r.raw)
			}
		}
		w.balanced()
	})
}
