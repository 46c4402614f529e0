package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// moved is a registry of all metrics that there are, each of which has moved
// once.
func moved(t *testing.T) *metrics {
	t.Helper()
	db := storetest.Open(t, store.Options{Dir: t.TempDir()})
	m := newMetrics()
	m.store(db)
	m.checkpointAge(func(context.Context) (time.Duration, error) { return time.Second, nil })
	m.places(func() []audit.PlaceState {
		return []audit.PlaceState{{Kind: "file", Name: "data.checkpoint", Taken: time.Now()}, {Kind: "witness", Name: "never"}}
	})
	m.pushes(func(context.Context) ([]sinkState, error) {
		return []sinkState{{Sink: "opa", Records: 3, Age: time.Minute, Failures: 2, Rejected: 5, Stuck: true}}, nil
	})
	m.emptying(func() int64 { return 1 }, func() int64 { return 2 })
	m.alertRaised("token_reuse", "high")
	m.alertFailed("rules")
	m.alertsBehind(4)
	m.observer(slog.New(slog.DiscardHandler)).Commit(time.Millisecond, 2, 3, nil)
	m.observer(slog.New(slog.DiscardHandler)).Index(0, 0, nil)
	storetest.Write(t, db, func(tx *store.Tx) error {
		_, err := tx.RaiseAlert(context.Background(), &store.Alert{ID: "alr_1", Tenant: "demo", Rule: "token_reuse", Key: "k", Severity: "high", Title: "T", State: store.AlertOpen, RaisedAt: tx.Now(), LastAt: tx.Now()})
		return err
	})
	e := &web.Event{Action: "grant.revoke", DecisionID: "d", Route: "/admin/api/grants/:id", Status: 204}
	e.Spent(web.PartDecide, time.Now(), time.Now().Add(time.Millisecond))
	m.begin(e)
	m.done(e, time.Millisecond)
	m.decided(&store.Record{Action: "grant.revoke", Allow: true, Code: "ok"}, time.Millisecond)
	return m
}

// described are the families of a registry that are ours, by name.
func described(t *testing.T, m *metrics) map[string]*dto.MetricFamily {
	t.Helper()
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]*dto.MetricFamily{}
	for _, f := range all {
		if strings.HasPrefix(f.GetName(), "pointgate_") {
			ours[f.GetName()] = f
		}
	}
	return ours
}

// scraped are the lines of these names as Prometheus reads them.
func scraped(m *metrics, names ...string) string {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	var lines strings.Builder
	for line := range strings.Lines(w.Body.String()) {
		if name, _, _ := strings.Cut(strings.TrimRight(line, "\n"), " "); slices.Contains(names, strings.Split(name, "{")[0]) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

func labelsOf(f *dto.MetricFamily) (names []string) {
	for _, l := range f.GetMetric()[0].GetLabel() {
		names = append(names, l.GetName())
	}
	return names
}

func TestMetricNamesAreWellFormed(t *testing.T) {
	m := moved(t)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

var metricRow = regexp.MustCompile("(?m)^\\| `(pointgate_[a-z_]+)` \\| ([a-z]+) \\| ([^|]*) \\|")

// TestTheMetricsPageNamesEachMetricWithItsLabels: docs/metrics.md is the
// reference, and says neither more nor less than there is.
func TestTheMetricsPageNamesEachMetricWithItsLabels(t *testing.T) {
	raw, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented, have := map[string][]string{}, map[string][]string{}
	for _, row := range metricRow.FindAllStringSubmatch(string(raw), -1) {
		documented[row[1]] = append([]string{row[2]}, strings.Fields(strings.NewReplacer("`", "", "–", "").Replace(row[3]))...)
	}
	for name, f := range described(t, moved(t)) {
		have[name] = append([]string{strings.ToLower(f.GetType().String())}, labelsOf(f)...)
	}
	if diff := cmp.Diff(have, documented); diff != "" {
		t.Errorf("the registry (-) and docs/metrics.md (+) differ:\n%s", diff)
	}
}

func TestARequestIsCountedByRouteActionStatusAndCode(t *testing.T) {
	m := newMetrics()
	begun := &web.Event{}
	m.begin(begun)
	for _, e := range []*web.Event{
		{Action: "points.read", Status: 200, Route: "/api/points", DecisionID: "d"},
		{Action: "points.redeem", Status: 409, Code: "insufficient_points", Route: "/api/points/redeem", DecisionID: "d"},
		{Status: 404, Code: "not_found"},
		{Action: "invented.by_a_caller", Status: 403, Code: "code_of_a_policy", Route: "/api/points"},
	} {
		m.begin(e)
		m.done(e, 2*time.Millisecond)
	}
	m.done(&web.Event{Status: 400, Code: "invalid_request"}, time.Microsecond) // no HTTP: it did not begin
	want := `
pointgate_requests_in_flight 1
pointgate_requests_total{action="",code="invalid_request",route="other",status="400"} 1
pointgate_requests_total{action="",code="not_found",route="other",status="404"} 1
pointgate_requests_total{action="other",code="other",route="/api/points",status="403"} 1
pointgate_requests_total{action="points.read",code="",route="/api/points",status="200"} 1
pointgate_requests_total{action="points.redeem",code="insufficient_points",route="/api/points/redeem",status="409"} 1
`
	if diff := cmp.Diff(want, "\n"+scraped(m, "pointgate_requests_total", "pointgate_requests_in_flight")); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(scraped(m, "pointgate_request_seconds_count"), "\n"); n != 4 {
		t.Errorf("%d series of times, want one for each action and route", n)
	}
}

func TestADecisionIsCountedWithWhatItSaidAndItsTime(t *testing.T) {
	m := newMetrics()
	m.decided(&store.Record{Action: "points.redeem", Allow: true, Code: "insufficient_points"}, 200*time.Microsecond)
	m.decided(&store.Record{Action: "points.redeem", Code: "not_owner"}, 300*time.Microsecond)
	m.decided(&store.Record{Action: "points.redeem", Code: "blocked_region"}, 300*time.Microsecond)
	want := `
pointgate_decisions_total{action="points.redeem",allow="false",code="not_owner"} 1
pointgate_decisions_total{action="points.redeem",allow="false",code="other"} 1
pointgate_decisions_total{action="points.redeem",allow="true",code="insufficient_points"} 1
`
	if diff := cmp.Diff(want, "\n"+scraped(m, "pointgate_decisions_total")); diff != "" {
		t.Error(diff)
	}
	h := described(t, m)["pointgate_evaluation_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 3 || h.GetSampleSum() < .00079 || h.GetSampleSum() > .00081 {
		t.Errorf("%v", h)
	}
}

func TestTheStoreTellsItsFigures(t *testing.T) {
	m := newMetrics()
	db := storetest.Open(t, store.Options{Dir: t.TempDir(), Observe: m.observer(slog.New(slog.DiscardHandler))})
	m.store(db)
	storetest.Tenant(t, db, "demo")
	before := described(t, m)
	for range 3 {
		r := &store.Record{ID: time.Now().String(), At: store.At(time.Now()), Tenant: "demo", Action: "points.read", Code: "ok", Status: 200, Body: []byte(`{"decision_id":"x","custom":{"tenant":"demo"}}`)}
		if err := db.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	after := described(t, m)
	sum := func(f map[string]*dto.MetricFamily, name string) float64 {
		return f[name].GetMetric()[0].GetHistogram().GetSampleSum()
	}
	if n := sum(after, "pointgate_commit_records") - sum(before, "pointgate_commit_records"); n != 3 {
		t.Errorf("%v records were committed", n)
	}
	if sum(after, "pointgate_commit_seconds") <= sum(before, "pointgate_commit_seconds") {
		t.Error("commits take no time")
	}
	if n := after["pointgate_tree_size"].GetMetric()[0].GetGauge().GetValue(); n != 3 {
		t.Errorf("the tree has %v records", n)
	}
	m.observer(slog.New(slog.DiscardHandler)).Commit(time.Second, 1, 1, errors.New("no space left on device"))
	if got := described(t, m); sum(got, "pointgate_commit_seconds") != sum(after, "pointgate_commit_seconds") ||
		got["pointgate_commit_failures_total"].GetMetric()[0].GetCounter().GetValue() != 1 {
		t.Error("a failed group is a failure, and no commit")
	}
}

// TestAFigureThatCannotBeReadIsAbsent: an alarm asks for absent(); the last
// figure again would look well.
func TestAFigureThatCannotBeReadIsAbsent(t *testing.T) {
	m := newMetrics()
	fail := false
	m.checkpointAge(func(context.Context) (time.Duration, error) {
		if fail {
			return 0, errors.New("no checkpoint yet")
		}
		return 1500 * time.Millisecond, nil
	})
	if v := described(t, m)["pointgate_checkpoint_age_seconds"].GetMetric()[0].GetGauge().GetValue(); v != 1.5 {
		t.Errorf("%v", v)
	}
	fail = true
	if f := described(t, m)["pointgate_checkpoint_age_seconds"]; f != nil {
		t.Errorf("%v", f)
	}
}

// TestTheCodesAreThoseOfTheProgram reads the tables of the answers' codes.
func TestTheCodesAreThoseOfTheProgram(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\t"([a-z_]+)": +\{\d{3}, "`)
	have := map[string]bool{"ok": true, "error_page": true} // the second: of pages that say what an app did wrong
	for _, file := range []string{"../../server/web/problem.go", "../../oauth2/errors.go"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := row.FindAllStringSubmatch(string(raw), -1)
		if len(found) < 10 {
			t.Fatalf("%s: %d codes", file, len(found))
		}
		for _, f := range found {
			have[f[1]] = true
		}
	}
	if diff := cmp.Diff(have, codes); diff != "" {
		t.Errorf("the tables (-) and metric_labels.go (+) differ:\n%s", diff)
	}
	rules, err := fs.Glob(policies.Embedded(), "oauth/*/*") // their routes don't say which action it will be
	if err != nil || len(rules) == 0 {
		t.Fatalf("%d rules: %v", len(rules), err)
	}
	for _, rule := range rules {
		if a := strings.ReplaceAll(strings.TrimPrefix(rule, "oauth/"), "/", "."); !actions[a] {
			t.Errorf("%s has a rule, and is no action", a)
		}
	}
	for a := range revocations {
		if !actions[a] {
			t.Errorf("%s revokes, and is no action", a)
		}
	}
}

// BenchmarkARequestIsCounted is what metrics cost each request.
func BenchmarkARequestIsCounted(b *testing.B) {
	m := newMetrics()
	r := &store.Record{Action: "points.redeem", Allow: true, Code: "ok"}
	b.ReportAllocs()
	for b.Loop() {
		e := web.Event{Action: "points.redeem", Route: "/api/points/redeem", Status: 201, DecisionID: "d"}
		m.begin(&e)
		for _, part := range []string{web.PartFacts, web.PartDecide, web.PartCommit} {
			e.Spent(part, e.Started, e.Started)
		}
		m.decided(r, time.Millisecond)
		m.done(&e, time.Millisecond)
	}
}
