package tests

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pointgate/pointgate/tests/harness"
)

// conditional are the documented metrics that a fresh installation does not
// have, with what they wait for.
var conditional = map[string]string{
	"pointgate_push_lag_records":     "a place to push to",
	"pointgate_push_lag_seconds":     "a place to push to",
	"pointgate_push_failures_total":  "a place to push to",
	"pointgate_push_stuck":           "a place to push to",
	"pointgate_push_rejected_total":  "a place to push to",
	"pointgate_alerts_open":          "an alert",
	"pointgate_alerts_raised_total":  "an alert",
	"pointgate_alert_failures_total": "a failure",
}

var documentedMetric = regexp.MustCompile("(?m)^\\| `(pointgate_[a-z_]+)` \\|")

// TestDocumentedMetricsArePresentAndMove scrapes the running program.
func TestDocumentedMetricsArePresentAndMove(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	before := scrape(t, s)
	must(s.Get("/api/points?customer_id=cus_alice", s.Demo.SupportToken))(t)
	must(s.Get("/api/points", ""))(t)
	must(s.Get("/nowhere", ""))(t)
	must(s.Post("/admin/api/revocations", s.Demo.AdminToken, map[string]any{"customer": "cus_bob"}))(t)
	after := scrape(t, s)

	for series, least := range map[string]float64{
		`pointgate_requests_total{action="points.read",code="",route="/api/points",status="200"}`:                    1,
		`pointgate_requests_total{action="points.read",code="missing_credentials",route="/api/points",status="401"}`: 1,
		`pointgate_requests_total{action="",code="not_found",route="other",status="404"}`:                            1,
		`pointgate_request_seconds_count{action="points.read",route="/api/points"}`:                                  2,
		`pointgate_decisions_total{action="points.read",allow="true",code="ok"}`:                                     1,
		`pointgate_decisions_total{action="points.read",allow="false",code="missing_credentials"}`:                   1,
		`pointgate_evaluation_seconds_count{action="points.read"}`:                                                   2,
		`pointgate_evaluation_seconds_sum{action="points.read"}`:                                                     0,
		`pointgate_gate_seconds_count{part="facts"}`:                                                                 3,
		`pointgate_gate_seconds_count{part="decide"}`:                                                                3,
		`pointgate_gate_seconds_count{part="commit"}`:                                                                3,
		`pointgate_commit_seconds_count`:                                                                             3,
		`pointgate_commit_writes_sum`:                                                                                3,
		`pointgate_commit_records_sum`:                                                                               3,
		`pointgate_tree_size`:                                                                                        3,
		`pointgate_revocation_denial_seconds_count`:                                                                  1,
	} {
		if moved := after[series] - before[series]; moved <= 0 || moved < least {
			t.Errorf("%s moved by %v, want %v", series, moved, least)
		}
	}
	if n, had := after["pointgate_requests_in_flight"]; n != 0 || !had {
		t.Errorf("%v requests are in flight, and none is", n)
	}
	for _, name := range documentedMetric.FindAllStringSubmatch(string(must(os.ReadFile("../docs/metrics.md"))(t)), -1) {
		if conditional[name[1]] == "" && !present(after, name[1]) {
			t.Errorf("%s is documented, and absent", name[1])
		}
	}
}

// TestLabelsAreOfTheProgram asks every documented operation for its answer to a
// stranger: each has its own action, code and route, and none is "other".
func TestLabelsAreOfTheProgram(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := must(s.Get("/openapi.json", ""))(t).Decode(&document); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for path, operations := range document.Paths {
		for method := range operations {
			if method == "parameters" {
				continue
			}
			path := strings.NewReplacer("{id}", "an-id-of-ours", "{file}", "a-file").Replace(path)
			res := must(s.HTTP.Do(must(http.NewRequest(strings.ToUpper(method), s.URL+path, nil))(t)))(t)
			_ = res.Body.Close()
			asked++
		}
	}
	all := scrape(t, s)
	if asked < 40 || !present(all, "pointgate_requests_total") {
		t.Fatalf("only %d operations", asked)
	}
	for series := range all {
		counted := strings.HasPrefix(series, "pointgate_requests_total{") || strings.HasPrefix(series, "pointgate_decisions_total{")
		if counted && (strings.Contains(series, `="other"`) || strings.Contains(series, "an-id-of-ours")) {
			t.Errorf("%s", series)
		}
	}
}

// scrape reads all series of /metrics.
func scrape(t *testing.T, s *harness.Server) map[string]float64 {
	t.Helper()
	res := must(http.Get(s.Ops + "/metrics"))(t)
	defer res.Body.Close()
	all := map[string]float64{}
	for line := range strings.Lines(string(must(io.ReadAll(res.Body))(t))) {
		line = strings.TrimSpace(line)
		if i := strings.LastIndex(line, " "); i > 0 && line[0] != '#' {
			all[line[:i]] = must(strconv.ParseFloat(line[i+1:], 64))(t)
		}
	}
	return all
}

func present(all map[string]float64, name string) bool {
	for series := range all {
		base, _, _ := strings.Cut(series, "{")
		if slices.Contains([]string{name, name + "_count"}, base) {
			return true
		}
	}
	return false
}
