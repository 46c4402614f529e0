package points_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/store"
)

// TestBadInput: each endpoint gives the codes of the contract to a caller who
// may act, never a 5xx, and moves nothing.
func TestBadInput(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		earned := w.earn("cus_alice", 1000).text("transaction", "id")
		hold := w.post("alice", "/api/points/holds", `{"points":10,"reason":"x"}`).text("hold", "id")
		before := w.lines()
		for _, e := range []struct{ caller, uri, good string }{
			{"service", "/api/points/earn", `"customer_id":"cus_alice","points":1,"reason":"x"`},
			{"alice", "/api/points/redeem", `"customer_id":"cus_alice","points":1,"reason":"x"`},
			{"admin", "/api/points/adjust", `"customer_id":"cus_alice","points":1,"reason":"x"`},
			{"alice", "/api/points/transfer", `"customer_id":"cus_alice","to_customer_id":"cus_bob","points":1,"reason":"x"`},
			{"alice", "/api/points/holds", `"customer_id":"cus_alice","points":1,"reason":"x"`},
			{"alice", "/api/points/holds/" + hold + "/capture", `"points":1`},
			{"alice", "/api/points/holds/" + hold + "/release", ``},
			{"admin", "/api/points/transactions/" + earned + "/reverse", `"reason":"x"`},
		} {
			for _, c := range badBodies(e.good) {
				if r := w.call(e.caller, "POST", e.uri, c.body); r.status != c.status || r.code() != codeOf(c.status) {
					t.Errorf("%s, %s: %d %s", e.uri, c.name, r.status, r.raw)
				}
			}
			for name, r := range map[string]*reply{
				"no key":          w.call(e.caller, "POST", e.uri, "{"+e.good+"}", "Idempotency-Key", "-"),
				"a short key":     w.call(e.caller, "POST", e.uri, "{"+e.good+"}", "Idempotency-Key", "seven77"),
				"a doubled query": w.call(e.caller, "POST", e.uri+"?a=1&a=2", "{"+e.good+"}"),
			} {
				if r.status != 400 {
					t.Errorf("%s, %s: %d %s", e.uri, name, r.status, r.raw)
				}
			}
			if r := w.call(e.caller, "POST", e.uri+"?customer_id=cus_bob", "{"+e.good+"}"); r.status != 422 || r.text("errors", 0, "code") != "unknown_field" {
				t.Errorf("%s with a query: %d %s", e.uri, r.status, r.raw)
			}
		}
		if n := w.lines(); n != before {
			t.Errorf("%d lines were written", n-before)
		}
		w.balanced()
	})
}

func codeOf(status int) string {
	return map[int]string{400: "invalid_request", 403: "not_owner", 422: "validation_failed"}[status]
}

type badBody struct {
	name, body string
	status     int
}

// badBodies spoils a good body, given as the inside of its object.
func badBodies(good string) []badBody {
	comma := ""
	if good != "" {
		comma = ","
	}
	bad := []badBody{
		{"not JSON", `{` + good, 400},
		{"a list", `[]`, 400},
		{"null", `null`, 400},
		{"more behind it", `{` + good + `}{}`, 400},
		{"a member twice", `{"reason":"x"` + comma + good + `,"reason":"x"}`, 400},
		{"invalid UTF-8", "{" + good + comma + `"a` + "\xff" + `":1}`, 400},
		{"a raw NUL", "{" + good + comma + `"a` + "\x00" + `":1}`, 400},
		{"too deep", `{` + good + comma + `"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, 400},
		{"an unknown member", `{` + good + comma + `"colour":"red"}`, 422},
	}
	if strings.Contains(good, `"points":1`) {
		for name, v := range map[string]string{
			"zero": "0", "a fraction": "1.5", "an exponent": "1e3", "a string": `"1"`, "true": "true", "a list": "[1]",
			"over the limit": "1000000001", "far under": "-1000000001", "over int64": "9223372036854775808", "huge": "1e999",
			"very long": strings.Repeat("9", 400),
		} {
			bad = append(bad, badBody{"points " + name, "{" + strings.Replace(good, `"points":1`, `"points":`+v, 1) + "}", 422})
		}
	}
	if strings.Contains(good, `"reason":"x"`) {
		for name, v := range map[string]string{
			"empty": `""`, "a number": "1", "null": "null", "too long": `"` + strings.Repeat("é", 501) + `"`, "with a NUL": `"a\u0000b"`, "with an escape": `"\u001b[2J"`,
		} {
			bad = append(bad, badBody{"reason " + name, "{" + strings.Replace(good, `"reason":"x"`, `"reason":`+v, 1) + "}", 422})
		}
	}
	if strings.Contains(good, `"customer_id":"cus_alice",`) {
		for name, v := range map[string]string{"a number": "1", "empty": `""`, "with a NUL": `"cus\u0000"`, "an object": "{}", "too long": `"` + strings.Repeat("c", 129) + `"`} {
			bad = append(bad, badBody{"customer " + name, "{" + strings.Replace(good, `"customer_id":"cus_alice"`, `"customer_id":`+v, 1) + "}", 422})
		}
	}
	return bad
}

// TestBadMembers: what only one endpoint has.
func TestBadMembers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn("cus_alice", 1000)
		before := w.lines()
		for _, c := range []struct{ caller, uri, body, field string }{
			{"service", "earn", `{"points":1,"reason":"x"}`, "customer_id"},
			{"manager", "redeem", `{"points":1,"reason":"x","customer_id":null}`, "customer_id"},
			{"service", "earn", `{"customer_id":"cus_alice","points":-1,"reason":"x"}`, "points"},
			{"service", "earn", `{"customer_id":"cus_alice","points":1,"reason":"x","expires_at":"2026-03-01T12:00:00Z"}`, "expires_at"},
			{"service", "earn", `{"customer_id":"cus_alice","points":1,"reason":"x","expires_at":"0001-01-01T00:00:00Z"}`, "expires_at"},
			{"service", "earn", `{"customer_id":"cus_alice","points":1,"reason":"x","expires_at":"tomorrow"}`, "expires_at"},
			{"service", "earn", `{"customer_id":"cus_alice","points":1,"reason":"x","expires_at":1}`, "expires_at"},
			{"alice", "redeem", `{"reason":"x"}`, "points"},
			{"alice", "redeem", `{"points":-5,"reason":"x"}`, "points"},
			{"alice", "redeem", `{"points":1}`, "reason"},
			{"alice", "holds", `{"points":1,"reason":"x","expires_in":59}`, "expires_in"},
			{"alice", "holds", `{"points":1,"reason":"x","expires_in":604801}`, "expires_in"},
			{"alice", "holds", `{"points":1,"reason":"x","expires_in":"3600"}`, "expires_in"},
			{"alice", "transfer", `{"points":1,"reason":"x"}`, "to_customer_id"},
			{"alice", "transfer", `{"points":1,"reason":"x","to_customer_id":"cus_alice"}`, "to_customer_id"},
			{"alice", "transfer", `{"points":1,"reason":"x","to_customer_id":7}`, "to_customer_id"},
			{"admin", "adjust", `{"customer_id":"cus_alice","points":1,"reason":"x","internal_note":""}`, "internal_note"},
			{"admin", "adjust", `{"customer_id":"cus_alice","points":1,"reason":"x","expires_at":"2030-01-01T00:00:00Z"}`, "expires_at"},
		} {
			r := w.call(c.caller, "POST", "/api/points/"+c.uri, c.body)
			if r.status != 422 || r.text("errors", 0, "field") != c.field || r.at("errors", 1) != nil {
				t.Errorf("%s %s: %d %s", c.uri, c.body, r.status, r.raw)
			}
		}
		if n := w.lines(); n != before {
			t.Errorf("%d lines were written", n-before)
		}
	})
}

func TestBadQuery(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			uri    string
			status int
		}{
			{"?colour=red", 422}, {"?customer_id=", 422}, {"?customer_id=%00", 422},
			{"?customer_id=cus_alice&customer_id=cus_alice", 400}, {"?customer_id=%ff", 400}, {"?customer_id=%zz", 400}, {"?a;b", 400},
		} {
			for _, path := range []string{"/api/points", "/api/points/transactions"} {
				if r := w.get("alice", path+c.uri); r.status != c.status || r.code() != codeOf(c.status) {
					t.Errorf("%s%s: %d %s", path, c.uri, r.status, r.raw)
				}
			}
		}
		for _, q := range []string{
			"limit=201", "limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=99999999999999999999", "limit=", "type=spend", "type=",
			"from=yesterday", "from=2026-03-01", "to=9999999-01-01T00:00:00Z", "from=1969-12-31T23:59:59Z", "cursor=" + strings.Repeat("a", 300),
		} {
			if r := w.get("alice", "/api/points/transactions?"+q); r.status != 422 || r.text("errors", 0, "field") != strings.SplitN(q, "=", 2)[0] {
				t.Errorf("%s: %d %s", q, r.status, r.raw)
			}
		}
		if r := w.get("service", "/api/points"); r.status != 422 || r.text("errors", 0, "code") != "required" {
			t.Errorf("a client without a customer: %d %s", r.status, r.raw)
		}
		for _, path := range []string{"/api/points", "/api/points/transactions"} {
			if r := w.call("alice", "GET", path, "{}"); r.status != 400 {
				t.Errorf("%s with a body: %d %s", path, r.status, r.raw)
			}
		}
	})
}

// TestStrangers: what belongs to others, to another tenant or to nobody looks
// alike to a customer, and a bad body is not told to who may not act.
func TestStrangers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn("cus_alice", 100)
		bobs := w.earn("cus_bob", 100).text("transaction", "id")
		hold := w.post("bob", "/api/points/holds", `{"points":10,"reason":"x"}`).text("hold", "id")
		before := w.lines()
		for _, id := range []string{"cus_bob", "cus_olga", "cus_nobody", "стол", `' OR 1=1 --`} {
			for _, c := range []struct{ uri, body string }{
				{"redeem", `{"customer_id":%q,"points":1,"reason":"x"}`},
				{"redeem", `{"customer_id":%q,"points":0}`},
				{"holds", `{"customer_id":%q,"points":1,"reason":"x"}`},
				{"transfer", `{"customer_id":%q,"to_customer_id":"cus_alice","points":1,"reason":"x"}`},
			} {
				r := w.call("alice", "POST", "/api/points/"+c.uri, fmt.Sprintf(c.body, id))
				if r.status != 403 || r.code() != "not_owner" {
					t.Errorf("%s of %s: %d %s", c.uri, id, r.status, r.raw)
				}
			}
		}
		for _, to := range []string{"cus_olga", "cus_nobody", "stf_manager"} {
			r := w.call("alice", "POST", "/api/points/transfer", fmt.Sprintf(`{"to_customer_id":%q,"points":1,"reason":"x"}`, to))
			if r.status != 403 || r.code() != "not_owner" {
				t.Errorf("transfer to %s: %d %s", to, r.status, r.raw)
			}
		}
		for _, id := range []string{hold, "hld_nothere", "nonsense", "%ff", "%00", "\xff", "hld_" + strings.Repeat("a", 300), bobs} {
			for _, verb := range []string{"capture", "release"} {
				uri := "/api/points/holds/" + id + "/" + verb
				if r := w.call("alice", "POST", uri, `{"points":"x"}`); r.status != 403 || r.code() != "not_owner" {
					t.Errorf("%s by alice: %d %s", uri, r.status, r.raw)
				}
				if id == hold {
					continue
				}
				if r := w.call("service", "POST", uri, ``); r.status != 404 || r.code() != "not_found" {
					t.Errorf("%s by the service: %d %s", uri, r.status, r.raw)
				}
			}
			uri := "/api/points/transactions/" + id + "/reverse"
			if r := w.call("alice", "POST", uri, `{"reason":"x"}`); r.status != 403 {
				t.Errorf("%s by alice: %d %s", uri, r.status, r.raw)
			}
			if id == bobs {
				continue
			}
			if r := w.call("admin", "POST", uri, `{"reason":"x"}`); r.status != 404 || r.code() != "not_found" {
				t.Errorf("%s by the admin: %d %s", uri, r.status, r.raw)
			}
		}
		for who, want := range map[string]string{"olga": "wrong_tenant", "": "missing_credentials"} {
			if r := w.get(who, "/api/points"); r.code() != want {
				t.Errorf("%q: %d %s", who, r.status, r.raw)
			}
		}
		for _, who := range []string{"service", "viewer"} {
			if r := w.get(who, "/api/points?customer_id=cus_olga"); r.code() != "not_owner" {
				t.Errorf("%s: %d %s", who, r.status, r.raw)
			}
		}
		if n := w.lines(); n != before {
			t.Errorf("%d lines were written", n-before)
		}
	})
}

// TestNothingTypedIsInARecord: a token, or any text, in the place of a customer
// gets into no record and no column of one, whoever sent it.
func TestNothingTypedIsInARecord(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.earn("cus_alice", 100)
		const token, text = "pgt_abcdefghijklmnopqrstuvwxyz", "my password is tomato"
		for _, typed := range []string{token, text} {
			for _, who := range []string{"alice", "service", "admin"} {
				for _, r := range []*reply{
					w.call(who, "POST", "/api/points/transfer", fmt.Sprintf(`{"customer_id":"cus_alice","to_customer_id":%q,"points":1,"reason":"x"}`, typed)),
					w.call(who, "POST", "/api/points/redeem", fmt.Sprintf(`{"customer_id":%q,"points":1,"reason":"x"}`, typed)),
					w.get(who, "/api/points?customer_id="+url.QueryEscape(typed)),
				} {
					if r.status != 403 {
						t.Errorf("%s, %s: %d %s", who, typed, r.status, r.raw)
					}
				}
			}
		}
		ctx := context.Background()
		size, err := w.db.LogSize(ctx)
		if err != nil {
			t.Fatal(err)
		}
		related := map[string]bool{}
		err = w.db.Records(ctx, 0, size, func(r *store.Record) error {
			related[r.Related] = true
			all := string(r.Body) + r.Resource + r.Related + r.Subject
			if strings.Contains(all, token) || strings.Contains(all, "tomato") {
				t.Errorf("%s, resource %q, related %q: %s", r.Action, r.Resource, r.Related, r.Body)
			}
			return nil
		})
		if err != nil || !related["pgt_…"] || !related["(unknown)"] {
			t.Error(related, err)
		}
	})
}
