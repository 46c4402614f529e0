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

// events reads a list of decisions.
func (w *world) events(query string) (actions []string, indexes []int64, next string) {
	w.t.Helper()
	var l struct {
		Data []struct {
			Input  struct{ Action struct{ Name string } }
			Custom struct{ Index int64 }
		}
		Next *string `json:"next_cursor"`
	}
	if err := json.Unmarshal([]byte(w.ok(200, "auditor", "GET", "/decisions?"+query, "").body), &l); err != nil {
		w.t.Fatal(err)
	}
	actions, indexes = []string{}, []int64{}
	for _, d := range l.Data {
		actions, indexes = append(actions, d.Input.Action.Name), append(indexes, d.Custom.Index)
	}
	if l.Next != nil {
		next = *l.Next
	}
	return actions, indexes, next
}

func TestDecisionsAreFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		before := time.Now()
		w.ok(201, "admin", "POST", "/clients", webClient)
		w.ok(403, "manager", "GET", "/clients/web", "")
		bad := w.ok(422, "admin", "PATCH", "/clients/web", `{"public":true}`)
		w.ok(404, "admin", "GET", "/staff/stf_nobody", "")
		after := time.Now()
		request := w.record(bad, "demo").Request
		stamp := func(t time.Time) string { return url.QueryEscape(t.UTC().Format(time.RFC3339Nano)) }
		for name, tc := range map[string]struct {
			query string
			want  []string
		}{
			"action":      {"action=client.create", []string{"client.create"}},
			"subject":     {"subject=stf_manager", []string{"client.read"}},
			"resource":    {"resource=web", []string{"client.update", "client.read", "client.create"}},
			"denied":      {"allow=false", []string{"client.read"}},
			"code":        {"code=validation_failed", []string{"client.update"}},
			"code 404":    {"code=not_found", []string{"staff.read"}},
			"request":     {"request_id=" + request, []string{"client.update"}},
			"prefix":      {"q=" + bad.decision[:30], []string{"client.update"}},
			"client":      {"client=web", []string{}},
			"to":          {"to=" + stamp(before), []string{}},
			"from":        {"action=client.create&from=" + stamp(after), []string{}},
			"a span":      {"allow=true&from=" + stamp(before) + "&to=" + stamp(after), []string{"staff.read", "client.update", "client.create"}},
			"two at once": {"resource=web&allow=true", []string{"client.update", "client.create"}},
		} {
			t.Run(name, func(t *testing.T) {
				w.t = t
				actions, _, _ := w.events(tc.query)
				equal(t, "actions", actions, tc.want)
			})
		}
	})
}

func TestOneDecisionIsAnEventOfOPA(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		asked := w.ok(403, "manager", "DELETE", "/staff/stf_admin", "")
		var e struct {
			DecisionID string `json:"decision_id"`
			Timestamp  time.Time
			Bundles    map[string]struct{ Revision string }
			Path       string
			Input      struct {
				Subject, Resource struct{ ID string }
				Action            struct{ Name string }
			}
			Result struct {
				Allow bool
				Code  string
			}
			Custom struct {
				Index  int64
				Tenant string
				Status int
				Code   string
			}
		}
		if err := json.Unmarshal([]byte(w.ok(200, "auditor", "GET", "/decisions/"+asked.decision, "").body), &e); err != nil {
			t.Fatal(err)
		}
		equal(t, "decision_id", e.DecisionID, asked.decision)
		equal(t, "path", e.Path, "pointgate/decision")
		equal(t, "revision", len(e.Bundles["pointgate"].Revision) > 0, true)
		equal(t, "who, what, on what", []string{e.Input.Subject.ID, e.Input.Action.Name, e.Input.Resource.ID}, []string{"stf_manager", "staff.delete", "stf_admin"})
		equal(t, "result", []any{e.Result.Allow, e.Result.Code}, []any{false, "missing_role"})
		equal(t, "custom", []any{e.Custom.Tenant, e.Custom.Status, e.Custom.Code, e.Custom.Index}, []any{"demo", 403, "missing_role", int64(0)})
	})
}

// TestListsGoOn: pages follow each other without a gap or a repetition.
func TestListsGoOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		want := []string{}
		for i := range 5 {
			id := fmt.Sprintf("cus_%d", i)
			storetest.User(t, db, "demo", id)
			want = append(want, id)
			w.grantOf("demo", "web", id)
		}
		for path, all := range map[string][]string{
			"/customers": want,
			"/grants":    {"grant-demo-cus_4", "grant-demo-cus_3", "grant-demo-cus_2", "grant-demo-cus_1", "grant-demo-cus_0"},
			"/sessions":  {"ses_demo_cus_4", "ses_demo_cus_3", "ses_demo_cus_2", "ses_demo_cus_1", "ses_demo_cus_0"},
		} {
			var got []string
			cursor := ""
			for {
				page := w.ok(200, "admin", "GET", path+"?limit=2"+cursor, "").object(t)
				for _, o := range page["data"].([]any) {
					got = append(got, o.(map[string]any)["id"].(string))
				}
				next, more := page["next_cursor"].(string)
				if !more {
					break
				}
				cursor = "&cursor=" + next
			}
			equal(t, path, got, all)
			if path == "/grants" {
				equal(t, "a cursor of another filter", w.as("admin", "GET", path+"?limit=2&live=true"+cursor, "").status, 400)
			}
			equal(t, "a cursor of another list", w.as("admin", "GET", "/clients?limit=2"+cursor, "").status, 400)
		}
	})
}

// TestTheLogIsFollowed: newest first by cursor, oldest first after an index,
// each record once.
func TestTheLogIsFollowed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for range 5 {
			w.ok(200, "admin", "GET", "/clients", "")
		}
		filter := "action=client.list&limit=2"
		_, first, next := w.events(filter)
		_, second, next := w.events(filter + "&cursor=" + next)
		_, third, next := w.events(filter + "&cursor=" + next)
		equal(t, "newest first", append(append(first, second...), third...), []int64{4, 3, 2, 1, 0})
		equal(t, "the end", next, "")
		_, first, next = w.events(filter + "&after=-1")
		_, second, _ = w.events(filter + "&after=-1&cursor=" + next)
		equal(t, "oldest first", append(first, second...), []int64{0, 1, 2, 3})
		_, rest, _ := w.events("action=client.list&after=3")
		equal(t, "what came after", rest, []int64{4})
	})
}

// The order of what is wrong is the same each time.
func TestFiltersAreJudgedInOrder(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	want := []string{"subject", "client", "action", "resource", "code", "request_id"}
	for range 10 {
		a := w.ok(422, "auditor", "GET", "/decisions?request_id=&code=&resource=&action=&client=&subject=", "")
		equal(t, "fields", a.fields(t), want)
	}
}
