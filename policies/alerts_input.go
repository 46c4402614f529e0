package policies

import (
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// value states the window as rules see it.
func (w *Window) value() ast.Value {
	groups := make([]*ast.Term, len(w.Groups))
	for i := range w.Groups {
		groups[i] = w.Groups[i].term()
	}
	return ast.NewObject(
		item("now", instant(w.Now)),
		item("window_s", seconds(w.Length)),
		item("tenant", text(w.Tenant)),
		item("groups", ast.NewTerm(ast.NewArray(groups...))),
		item("by_action", w.places(func(g *Group) string { return g.Action })),
		item("by_code", w.places(func(g *Group) string { return g.Code })),
		item("truncated", ast.InternedTerm(w.Dropped != Counts{})),
		item("dropped", object(w.Dropped.items()...)),
		item("totals", object(append(w.Totals.items(), item("decisions", texts(w.Decisions)))...)),
		item("before", object(append(w.Before.items(), item("window_s", seconds(w.Known)))...)),
	)
}

// places are the indexes of the groups by one of their members.
func (w *Window) places(of func(*Group) string) *ast.Term {
	all := map[string][]*ast.Term{}
	for i := range w.Groups {
		key := of(&w.Groups[i])
		all[key] = append(all[key], ast.InternedTerm(i))
	}
	o := ast.NewObjectWithCapacity(len(all))
	for key, indexes := range all {
		o.Insert(text(key), ast.NewTerm(ast.NewArray(indexes...)))
	}
	return ast.NewTerm(o)
}

func (g *Group) term() *ast.Term {
	return object(
		item("action", text(g.Action)),
		item("code", text(g.Code)),
		item("allow", ast.InternedTerm(g.Allow)),
		item("subject", text(g.Subject)),
		item("client", text(g.Client)),
		item("resource", text(g.Resource)),
		item("related", text(g.Related)),
		item("ip", text(g.IP)),
		item("folded", ast.InternedTerm(g.Folded)),
		item("count", whole(g.Count)),
		item("first", instant(g.First)),
		item("last", instant(g.Last)),
		item("decisions", texts(g.Decisions)),
	)
}

func (c Counts) items() [][2]*ast.Term {
	return [][2]*ast.Term{item("allowed", whole(c.Allowed)), item("denied", whole(c.Denied))}
}

func item(name string, value *ast.Term) [2]*ast.Term { return ast.Item(ast.InternedTerm(name), value) }

func instant(t time.Time) *ast.Term { return text(t.UTC().Format(time.RFC3339Nano)) }

func seconds(d time.Duration) *ast.Term { return whole(int64(d / time.Second)) }

func whole(n int64) *ast.Term { return ast.InternedTerm(n) }
