package policies

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// window is one in which nothing is empty.
func window() *Window {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	return &Window{
		Now: at, Length: 10 * time.Minute, Tenant: "demo",
		Groups: []Group{{
			Action: "points.transfer", Code: "ok", Allow: true, Subject: "cus_alice", Client: "demo-web", Resource: "cus_alice",
			Related: "cus_bob", IP: "127.0.0.1", Folded: true, Count: 3, First: at.Add(-time.Minute), Last: at, Decisions: []string{"d1", "d2"},
		}},
		Dropped: Counts{1, 2}, Totals: Counts{10, 20}, Decisions: []string{"d3"}, Before: Counts{30, 40}, Known: time.Hour,
	}
}

func TestWindowIsTheSchemas(t *testing.T) {
	sameJSON(t, `{
		"now": "2026-01-02T03:04:05.000006Z", "window_s": 600, "tenant": "demo",
		"groups": [{
			"action": "points.transfer", "code": "ok", "allow": true, "subject": "cus_alice", "client": "demo-web",
			"resource": "cus_alice", "related": "cus_bob", "ip": "127.0.0.1", "folded": true, "count": 3,
			"first": "2026-01-02T03:03:05.000006Z", "last": "2026-01-02T03:04:05.000006Z", "decisions": ["d1", "d2"]
		}],
		"by_action": {"points.transfer": [0]}, "by_code": {"ok": [0]},
		"truncated": true, "dropped": {"allowed": 1, "denied": 2},
		"totals": {"allowed": 10, "denied": 20, "decisions": ["d3"]},
		"before": {"allowed": 30, "denied": 40, "window_s": 3600}
	}`, appendJSON(nil, window().value()))
	var schema, value map[string]any
	if err := json.Unmarshal(alertSchema, &schema); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(appendJSON(nil, window().value()), &value); err != nil {
		t.Fatal(err)
	}
	for _, byName := range []string{"by_action", "by_code"} { // they have whatever members there are
		delete(schema["properties"].(map[string]any), byName)
		delete(value, byName)
	}
	sameShape(t, "input", schema, value)
	group := schema["properties"].(map[string]any)["groups"].(map[string]any)["items"].(map[string]any)
	sameShape(t, "input.groups[_]", group, value["groups"].([]any)[0].(map[string]any))
}

// alerting is a bundle whose one alert rule, called r, is this.
func alerting(rule string) fs.FS {
	m := maps.Clone(policy("decision := " + denial))
	entry, err := fs.ReadFile(Embedded(), "alerts/alerts.rego")
	if err != nil {
		panic(err) // it is part of the program
	}
	m["alerts.rego"] = &fstest.MapFile{Data: entry}
	m["r.rego"] = &fstest.MapFile{Data: []byte("package pointgate.alerts.rules.r\n\n" + rule)}
	return m
}

const anAlert = `{"key": "k", "severity": "low", "title": "T", "detail": "D", "decisions": ["b", "a"]}`

func TestAlertsAreRead(t *testing.T) {
	e := open(t, alerting(`raised contains object.union(`+anAlert+`, {"key": key}) if some key in {"z", input.tenant}`))
	got, err := e.Alerts(t.Context(), window())
	if err != nil {
		t.Fatal(err)
	}
	want := []Raised{
		{Rule: "r", Key: "demo", Severity: "low", Title: "T", Detail: "D", Decisions: []string{"b", "a"}},
		{Rule: "r", Key: "z", Severity: "low", Title: "T", Detail: "D", Decisions: []string{"b", "a"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"r"}, e.AlertRules()); diff != "" {
		t.Error(diff)
	}
}

func TestAlertsFailLoudly(t *testing.T) {
	with := func(member string) string { return `raised contains object.union(` + anAlert + `, {` + member + `})` }
	for name, c := range map[string]struct{ rule, want string }{
		"a text":                {`raised contains "x"`, "object.union"},
		"a builtin error":       {`raised contains ` + anAlert + ` if 1 / (count(input.groups) - 1) > 0`, "divide by zero"},
		"no key":                {with(`"key": ""`), "key"},
		"a key that is none":    {with(`"key": 1`), "key"},
		"a long key":            {with(`"key": "` + strings.Repeat("k", maxKey+1) + `"`), "key"},
		"a severity of ours":    {with(`"severity": "urgent"`), "urgent"},
		"no title":              {with(`"title": ""`), "title"},
		"a long detail":         {with(`"detail": "` + strings.Repeat("d", maxDetail+1) + `"`), "detail"},
		"no decisions":          {with(`"decisions": []`), "0 decisions"},
		"decisions by name":     {with(`"decisions": {"a": "b"}`), "decisions"},
		"decisions that aren't": {with(`"decisions": [1]`), "decisions"},
		"two of one key":        {`raised contains object.union(` + anAlert + `, {"title": title}) if some title in {"A", "B"}`, "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, alerting(c.rule))
			got, err := e.Alerts(t.Context(), window())
			if err == nil || !strings.Contains(err.Error(), c.want) || got != nil {
				t.Errorf("%v and the error %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestAlertsEndInTime(t *testing.T) {
	e := open(t, alerting(`xs := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
raised contains `+anAlert+` if {
	some a in xs; some b in xs; some c in xs; some d in xs; some e in xs; some f in xs; some g in xs; some h in xs
	a + b + c + d + e + f + g + h == 1000
}`))
	e.AlertTimeout = 20 * time.Millisecond
	begin := time.Now()
	if _, err := e.Alerts(t.Context(), window()); err == nil || time.Since(begin) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(begin), err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Alerts(ended, window()); err == nil {
		t.Error("asked for by nobody any more, and answered")
	}
}

func TestAPolicyWithoutAlertRulesRaisesNothing(t *testing.T) {
	e := open(t, policy("decision := "+denial))
	if got, err := e.Alerts(t.Context(), window()); err != nil || got != nil || e.AlertRules() != nil {
		t.Errorf("%v, %v, %v", got, err, e.AlertRules())
	}
}

func TestAlertRulesAreHeldToTheirOwnInput(t *testing.T) {
	for name, c := range map[string]struct{ rule, want string }{
		"the input of decisions":  {`raised contains ` + anAlert + ` if input.subject.id == "x"`, "input.subject"},
		"a typo":                  {`raised contains ` + anAlert + ` if input.groups[_].subjct == "x"`, "subjct"},
		"a wrong type":            {`raised contains ` + anAlert + ` if input.window_s == "600"`, "match error"},
		"a rule that decides":     {`raised contains ` + anAlert + ` if data.pointgate.allow`, "no other package"},
		"a library of deciding":   {"import data.pointgate.lib.roles\n\nraised contains " + anAlert + ` if roles.has("x")`, "no other package"},
		"all of ours":             {`raised contains ` + anAlert + ` if data.pointgate[_].x`, "no other package"},
		"an index of something":   {`raised contains ` + anAlert + ` if input.by_client.web`, "by_client"},
		"the clock":               {`raised contains ` + anAlert + ` if time.now_ns() > 0`, "undefined function"},
		"a schema of its own":     {"# METADATA\n# schemas:\n#   - input: {}\nraised contains " + anAlert + ` if input.subject`, "input.subject"},
		"not a set":               {`raised := 1`, "does not say raised"},
		"not said":                {`raise contains ` + anAlert, "does not say raised"},
		"what another rule found": {`raised contains ` + anAlert + ` if data.pointgate.alerts.raised[_]`, "recursive"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open(alerting(c.rule)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// The rule that docs/alerts.md shows works as it stands there.
func TestTheDocumentedRuleRaises(t *testing.T) {
	page, err := os.ReadFile("../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rule, _ := strings.Cut(string(page), "```rego\n")
	rule, _, _ = strings.Cut(rule, "```")
	m := alerting("raised contains " + anAlert + " if false").(fstest.MapFS)
	m["night.rego"] = &fstest.MapFile{Data: []byte(rule)}
	w := window()
	w.Groups[0].Action = "points.adjust"
	got, err := open(t, m).Alerts(t.Context(), w)
	want := []Raised{{Rule: "night", Key: "cus_alice", Severity: "low", Title: "Points were adjusted at night", Detail: "cus_alice adjusted points.", Decisions: []string{"d1", "d2"}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestWhatDecidesDoesNotSeeAlerts(t *testing.T) {
	for name, body := range map[string]string{
		"the input of alerts": `decision := input.groups`,
		"their documents":     `decision := data.pointgate.alerts.raised`,
		"their functions":     "import data.pointgate.alerts\n\ndecision := alerts.alert({}, 1, 2, 3)",
	} {
		t.Run(name, func(t *testing.T) {
			m := alerting(`raised contains ` + anAlert).(fstest.MapFS)
			m["main.rego"] = &fstest.MapFile{Data: []byte("package pointgate\n\n" + body)}
			if _, err := Open(m); err == nil {
				t.Error("it compiles")
			}
		})
	}
}

// quietWindow is a busy system on which nothing happens.
func quietWindow(n int) *Window {
	w := fullWindow(n)
	for i := range w.Groups {
		g := &w.Groups[i]
		g.Count, g.Related = 1, ""
		g.Subject = g.Resource
	}
	return w
}

// fullWindow must stay within the time that there is, in the worst shape for
// each rule: as many keys as groups.
func fullWindow(n int) *Window {
	w := window()
	w.Groups = nil
	for i := range n {
		g := window().Groups[0]
		id := fmt.Sprintf("cus_%d", i)
		g.Subject, g.Resource, g.IP, g.Count, g.Decisions = id, id, "2001:db8::"+id, 100, []string{id + "a", id + "b", id + "c"}
		switch i % 4 {
		case 0:
			g.Related = id
		case 1:
			g.Action, g.Code, g.Allow = "login.fail", "invalid_credentials", false
		case 2:
			g.Action = "points.redeem"
		case 3:
			g.Subject, g.Code, g.Allow = fmt.Sprintf("cus_%d", i%100), "not_owner", false
		}
		w.Groups = append(w.Groups, g)
	}
	return w
}

func TestAFullWindowIsJudged(t *testing.T) {
	e := open(t, Embedded())
	e.AlertTimeout = time.Minute // the race detector is slow
	got, err := e.Alerts(t.Context(), fullWindow(1000))
	if err != nil || len(got) < 500 {
		t.Errorf("%d alerts, %v", len(got), err)
	}
}

func BenchmarkAlerts(b *testing.B) {
	e := open(b, Embedded())
	e.AlertTimeout = time.Minute
	for _, n := range []int{10, 1000, 4000} {
		for name, w := range map[string]*Window{"quiet": quietWindow(n), "full of alerts": fullWindow(n)} {
			b.Run(fmt.Sprint(n, " groups, ", name), func(b *testing.B) {
				for b.Loop() {
					if _, err := e.Alerts(b.Context(), w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
