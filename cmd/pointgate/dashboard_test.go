package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

// dashboard is what we use of Grafana's classic model (schema 39, Grafana 10.4
// and later).
type dashboard struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Time          struct{ From, To string }
	Templating    struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
		}
	}
	Annotations struct{ List []json.RawMessage }
	Panels      []panel
}

type panel struct {
	ID          int
	Type, Title string
	Datasource  *source
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct {
		RefID, Expr string
		Datasource  *source
	}
	FieldConfig *struct {
		Defaults struct{ Unit string }
	}
	Options map[string]any
}

type source struct{ Type, UID string }

func readDashboard(t *testing.T) (d dashboard, raw string) {
	t.Helper()
	b, err := os.ReadFile("../../docs/grafana/pointgate.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d, string(b)
}

func TestTheDashboardIsAsGrafanaWantsIt(t *testing.T) {
	d, _ := readDashboard(t)
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 36 || d.Time.From == "" || d.Time.To == "" || len(d.Annotations.List) == 0 {
		t.Errorf("the head is %+v", d)
	}
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if p.ID == 0 || ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q: no id or title of its own", p.ID, p.Title)
		}
		ids[p.ID] = true
		if g := p.GridPos; g.H < 1 || g.W < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("%s lies at %+v", p.Title, g)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if was := cells[[2]int{x, y}]; was != "" {
					t.Fatalf("%s lies on %s", p.Title, was)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type != "row" {
			checkPanel(t, &p)
		}
	}
}

func checkPanel(t *testing.T, p *panel) {
	t.Helper()
	ours := source{"prometheus", "${datasource}"} // chosen on the page: no id of somebody's installation
	if !slices.Contains([]string{"stat", "timeseries"}, p.Type) || p.Datasource == nil || *p.Datasource != ours {
		t.Errorf("%s is a %q of %v", p.Title, p.Type, p.Datasource)
	}
	if p.FieldConfig == nil || p.FieldConfig.Defaults.Unit == "" || len(p.Options) == 0 || len(p.Targets) == 0 {
		t.Errorf("%s has no unit, no options or no targets", p.Title)
	}
	refs := map[string]bool{}
	for _, q := range p.Targets {
		if q.RefID == "" || refs[q.RefID] || q.Expr == "" || q.Datasource == nil || *q.Datasource != ours {
			t.Errorf("%s: target %+v", p.Title, q)
		}
		refs[q.RefID] = true
	}
}

var (
	selector = regexp.MustCompile(`\b((?:pointgate|go|process)_[a-z_]+)(?:\{([^}]*)\})?(\[[^\]]*\])?`)
	grouping = regexp.MustCompile(`\bby \(([^)]*)\)`)
	matcher  = regexp.MustCompile(`^([a-z_]+)(=|!=|=~|!~)"[^"]*"$`)
	dollar   = regexp.MustCompile(`\$\{?([a-z_]+)`)
)

// TestTheDashboardWorksOnOurNames: each metric in it exists, has the labels that
// it is narrowed and grouped by, and is of the type that is asked for.
func TestTheDashboardWorksOnOurNames(t *testing.T) {
	d, raw := readDashboard(t)
	families := map[string]*dto.MetricFamily{}
	all, err := moved(t).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		families[f.GetName()] = f
	}
	used, shown := map[string]bool{}, 0
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			for name := range checkQuery(t, q.Expr, families) {
				used[name] = true
				shown++
			}
		}
	}
	if shown < 30 {
		t.Errorf("only %d selectors were found", shown)
	}
	for name := range families {
		if strings.HasPrefix(name, "pointgate_") && !used[name] && !slices.Contains([]string{"pointgate_build_info", "pointgate_revocations_pending"}, name) {
			t.Errorf("%s is on no panel", name)
		}
	}
	defined := map[string]bool{"__rate_interval": true, "__all": true}
	for _, v := range d.Templating.List {
		defined[v.Name] = true
		for _, m := range selector.FindAllStringSubmatch(string(v.Query), -1) {
			if families[m[1]] == nil {
				t.Errorf("the choice %s asks for %s", v.Name, m[1])
			}
		}
	}
	for _, v := range dollar.FindAllStringSubmatch(raw, -1) {
		if !defined[v[1]] {
			t.Errorf("$%s is not defined", v[1])
		}
	}
}

// checkQuery returns the metrics of a query.
func checkQuery(t *testing.T, expr string, families map[string]*dto.MetricFamily) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	labels := map[string]bool{"le": true, "job": true, "instance": true} // of histograms, and of the scrape
	for _, m := range selector.FindAllStringSubmatchIndex(expr, -1) {
		name, inside := expr[m[2]:m[3]], ""
		if m[4] >= 0 {
			inside = expr[m[4]:m[5]]
		}
		base, part := familyOf(name, families)
		f := families[base]
		if f == nil {
			t.Errorf("%s: there is no %s", expr, name)
			continue
		}
		if (f.GetType() == dto.MetricType_HISTOGRAM) != part {
			t.Errorf("%s: %s is a %s", expr, name, f.GetType())
		}
		if rated := strings.HasSuffix(expr[:m[0]], "rate(") || strings.HasSuffix(expr[:m[0]], "increase("); rated == (f.GetType() == dto.MetricType_GAUGE) {
			t.Errorf("%s: a counter is for rates, a gauge is not", expr)
		}
		found[base] = true
		for _, l := range labelsOf(f) {
			labels[l] = true
		}
		for one := range strings.SplitSeq(inside, ",") {
			if l := matcher.FindStringSubmatch(one); l == nil || !labels[l[1]] {
				t.Errorf("%s: %s has no %s", expr, name, one)
			}
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(g[1], ",") {
			if !labels[strings.TrimSpace(l)] {
				t.Errorf("%s: nothing in it has %s", expr, l)
			}
		}
	}
	if len(found) == 0 || strings.Count(expr, "(") != strings.Count(expr, ")") || strings.Count(expr, "[") != strings.Count(expr, "]") {
		t.Errorf("%s is no query", expr)
	}
	return found
}

// familyOf takes the suffix of a histogram's series off; part says that there
// was one.
func familyOf(name string, families map[string]*dto.MetricFamily) (base string, part bool) {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if b, ok := strings.CutSuffix(name, suffix); ok && families[b] != nil {
			return b, true
		}
	}
	return name, false
}
