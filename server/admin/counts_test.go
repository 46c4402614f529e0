package admin_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// counts reads them as "value allowed denied", over all steps.
func (w *world) counts(query string) []string {
	w.t.Helper()
	var l struct {
		Data []struct {
			At              time.Time
			Value           *string
			Allowed, Denied int64
		}
	}
	if err := json.Unmarshal([]byte(w.ok(200, "auditor", "GET", "/decisions/counts?"+query, "").body), &l); err != nil {
		w.t.Fatal(err)
	}
	out := []string{}
	for _, d := range l.Data {
		value := "null"
		if d.Value != nil {
			value = *d.Value
		}
		out = append(out, fmt.Sprint(value, " ", d.Allowed, " ", d.Denied))
	}
	return out
}

func TestDecisionsAreCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		now := time.Now()
		if now.Truncate(time.Hour) != now.Add(time.Minute).Truncate(time.Hour) {
			now = now.Add(time.Minute)
		}
		w.ok(201, "admin", "POST", "/clients", webClient)
		w.ok(403, "manager", "GET", "/clients/web", "")
		w.ok(403, "manager", "GET", "/staff/stf_admin", "")
		w.ok(404, "admin", "GET", "/staff/stf_nobody", "")
		// Each count is a decision, too, of stf_auditor.
		span := "&step=day&to=" + url.QueryEscape(now.UTC().Add(time.Hour).Format(time.RFC3339))
		mine := span + "&subject=stf_admin"
		for _, tc := range []struct{ query, want string }{
			{"by=action&subject=stf_manager" + span, "[client.read 0 1 staff.read 0 1]"},
			{"by=code&subject=stf_manager" + span, "[missing_role 0 2]"},
			{"by=code" + mine, "[not_found 1 0 ok 1 0]"},
			{"by=code&limit=1" + mine, "[not_found 1 0 null 1 0]"},
			{"by=subject&allow=false" + span, "[stf_manager 0 2]"},
			{"by=rule&allow=true" + mine, "[null 2 0]"},
			{"by=client&resource=web" + span, "[null 1 1]"},
			{"by=code&grant=nothing" + span, "[]"},
			{"by=code&to=1990-01-01T00:00:00Z", "[]"},
		} {
			equal(t, tc.query, fmt.Sprint(w.counts(tc.query)), tc.want)
		}
	})
}

func TestCountsThatCanNotBeMade(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for query, want := range map[string][]string{
		"":                                  {"by"},
		"by=request_id":                     {"by"},
		"by=code&step=minute":               {"step"},
		"by=code&limit=51":                  {"limit"},
		"by=code&q=0197":                    {"q"},
		"by=code&after=3":                   {"after"},
		"by=code&from=9999-01-01T00:00:00Z": {"to"},
		"by=code&from=2026-01-01T00:00:00Z&to=2026-02-02T00:00:00Z":          {"from"},
		"by=code&step=day&from=2020-01-01T00:00:00Z&to=2026-02-02T00:00:00Z": {"from"},
	} {
		equal(t, query, w.ok(422, "auditor", "GET", "/decisions/counts?"+query, "").fields(t), want)
	}
	w.ok(403, "manager", "GET", "/decisions/counts?by=nothing", "")
}

// TestDecisionsAreFoundByWhatTheyTouch: the ids that a record has lead to others.
func TestDecisionsAreFoundByWhatTheyTouch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.ok(403, "manager", "GET", "/clients/web", "")
		rule := w.record(w.ok(403, "manager", "GET", "/staff/stf_admin", ""), "demo").Rules[0]
		for query, want := range map[string][]string{
			"rule=" + rule:       {"staff.read", "client.read"},
			"rule=no.such.rule":  {},
			"grant=nobodys":      {},
			"related=cus_nobody": {},
		} {
			actions, _, _ := w.events(query)
			equal(t, query, actions, want)
		}
	})
}
