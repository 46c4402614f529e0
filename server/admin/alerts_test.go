package admin_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// raise puts an alert there, as the follower of the log would.
func (w *world) raise(tenant, id, rule, severity string) {
	w.t.Helper()
	storetest.Write(w.t, w.db, func(tx *store.Tx) error {
		_, err := tx.RaiseAlert(context.Background(), &store.Alert{
			ID: id, Tenant: tenant, Rule: rule, Key: id, Severity: severity, Title: "Title", Detail: "Detail", Decisions: store.Words{"d1", "d2"},
		})
		return err
	})
}

func TestAlertsAreTakenOnAndClosed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.raise("demo", "alr_1", "guessing", "high")
		a := w.ok(200, "auditor", "GET", "/alerts/alr_1", "").object(t)
		delete(a, "raised_at")
		delete(a, "last_at")
		equal(t, "alert", a, map[string]any{
			"id": "alr_1", "state": "open", "severity": "high", "rule": "guessing", "key": "alr_1", "title": "Title", "detail": "Detail",
			"count": 1.0, "decisions": []any{"d1", "d2"}, "changed_at": nil,
		})
		took := w.ok(200, "admin", "PATCH", "/alerts/alr_1", `{"state":"acknowledged"}`)
		equal(t, "taken on", []string{took.text(t, "state"), took.text(t, "changed_by")}, []string{"acknowledged", "stf_admin"})
		again := w.ok(200, "second", "PATCH", "/alerts/alr_1", `{"state":"acknowledged"}`)
		equal(t, "taken on twice", again.text(t, "changed_by"), "stf_admin")
		w.ok(200, "second", "PATCH", "/alerts/alr_1", `{"state":"closed"}`)
		back := w.ok(409, "admin", "PATCH", "/alerts/alr_1", `{"state":"acknowledged"}`)
		equal(t, "code", back.text(t, "code"), "conflict")
		for body, field := range map[string]string{`{"state":"open"}`: "state", `{}`: "state", `{"state":"closed","rule":"x"}`: "rule", `{"state":1}`: "state"} {
			equal(t, body, w.ok(422, "admin", "PATCH", "/alerts/alr_1", body).fields(t), []string{field})
		}
		for _, c := range []struct {
			answer answer
			code   string
		}{{took, "ok"}, {back, "conflict"}} {
			r := w.record(c.answer, "demo")
			equal(t, "record", []any{r.Action, r.Resource, r.Allow, r.Code}, []any{"alert.update", "alr_1", true, c.code})
		}
	})
}

func TestAlertsAreForThoseWhoLookAfterThem(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.raise("demo", "alr_1", "guessing", "high")
	for _, c := range []struct {
		who, method, path string
		status            int
	}{
		{"auditor", "GET", "/alerts", 200}, {"auditor", "GET", "/alerts/alr_1", 200}, {"auditor", "PATCH", "/alerts/alr_1", 403},
		{"manager", "GET", "/alerts", 403}, {"manager", "PATCH", "/alerts/alr_1", 403}, {"thin", "GET", "/alerts", 403},
		{"nobody", "GET", "/alerts", 401}, {"revoked", "GET", "/alerts", 401},
		{"other", "GET", "/alerts/alr_1", 404}, {"other", "PATCH", "/alerts/alr_1", 404}, {"admin", "GET", "/alerts/alr_2", 404},
		{"admin", "PATCH", "/alerts/alr_2", 404}, {"admin", "POST", "/alerts", 405}, {"admin", "DELETE", "/alerts/alr_1", 405},
	} {
		body := ""
		if c.method == "PATCH" {
			body = `{"state":"closed"}`
		}
		if a := w.as(c.who, c.method, c.path, body); a.status != c.status {
			t.Errorf("%s %s %s: %d %s, want %d", c.who, c.method, c.path, a.status, a.body, c.status)
		}
	}
	equal(t, "another tenant's", w.ids("other", "/alerts"), []string{})
	equal(t, "it is as it was", w.ok(200, "admin", "GET", "/alerts/alr_1", "").text(t, "state"), "open")
}

func TestAlertsAreFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		before := time.Now()
		w.raise("demo", "alr_1", "guessing", "high")
		w.raise("demo", "alr_2", "denials", "medium")
		w.raise("demo", "alr_3", "guessing", "high")
		w.raise("other", "alr_4", "guessing", "high")
		w.ok(200, "admin", "PATCH", "/alerts/alr_1", `{"state":"closed"}`)
		stamp := func(t time.Time) string { return url.QueryEscape(t.UTC().Format(time.RFC3339Nano)) }
		for query, want := range map[string][]string{
			"":                          {"alr_3", "alr_2", "alr_1"},
			"?state=open":               {"alr_3", "alr_2"},
			"?state=closed":             {"alr_1"},
			"?rule=guessing":            {"alr_3", "alr_1"},
			"?severity=medium":          {"alr_2"},
			"?rule=guessing&state=open": {"alr_3"},
			"?to=" + stamp(before):      {},
			"?from=" + stamp(before):    {"alr_3", "alr_2", "alr_1"},
			"?limit=1&severity=high":    {"alr_3"},
			"?from=" + stamp(time.Now().Add(time.Hour)): {},
		} {
			equal(t, query, w.ids("auditor", "/alerts"+query), want)
		}
		first := w.ok(200, "auditor", "GET", "/alerts?limit=2", "")
		equal(t, "the next page", w.ids("auditor", "/alerts?limit=2&cursor="+first.text(t, "next_cursor")), []string{"alr_1"})
		for _, query := range []string{"?state=new", "?rule=No!", "?severity=urgent", "?from=now", "?key=x", "?limit=201"} {
			w.ok(422, "auditor", "GET", "/alerts"+query, "")
		}
	})
}
