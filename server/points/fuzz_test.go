package points

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// FuzzParse: what is let through is text that both databases keep and numbers
// within their limits, whatever was sent.
func FuzzParse(f *testing.F) {
	f.Add(`{"customer_id":"cus_alice","points":1,"reason":"x"}`, "customer_id=cus_alice&limit=5", "hld_000001")
	f.Add(`{"points":1e400,"reason":"\ud800\u0000"}`, "type=earn&from=2026-01-01T00:00:00Z", "txn_000001")
	f.Add("\xff", "cursor=AAAA&a=%00", "\xff\x00/..")
	f.Fuzz(func(t *testing.T, body, query, id string) {
		r := &web.Request{
			Event: web.NewEvent("", time.Unix(0, 0)), Tenant: &store.Tenant{ID: "demo"},
			Caller: &web.Caller{Type: "customer", ID: "cus_alice"}, Params: map[string]string{"id": id}, Body: []byte(body),
		}
		var o order
		bad := parseOrder(r, &o, func(f *web.Fields) { o.points = amount(f) })
		if bad == nil && (o.points < 1 || o.points > store.MaxPoints || o.customer == "" || o.reason == "") {
			t.Errorf("let through: %+v", o)
		}
		r.Body, r.RawQuery = nil, query
		var s search
		p := &Points{Cursors: web.Cursors{Key: make([]byte, 32)}}
		if bad := p.parseSearch(r, &s); bad == nil && (s.filter.Limit < 1 || s.filter.Limit > pageMost || s.filter.Before != "") {
			t.Errorf("let through: %+v", s.filter)
		}
		for _, text := range []string{o.customer, o.reason, s.customer, s.filter.Type, pathID(r)} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Errorf("not text: %q", text)
			}
		}
	})
}
