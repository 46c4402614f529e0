package alerts

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/store"
)

// The window that rules see, and the time before it that they can compare with,
// in minutes. The last minute of the window is the one that is running.
const (
	windowMinutes = 10
	beforeMinutes = 60
)

// reads are verbs that, where they are allowed, are in the totals alone: they are
// most of what there is.
var reads = []string{"read", "list", "history", "count", "prove", "export", "introspect", "explain"}

// window is the last minutes of one tenant. It belongs to one goroutine.
type window struct {
	groups  [classes]map[groupKey]*group
	callers map[groupKey]int // who was denied → of how many groups; see things
	minutes []minute         // oldest first
	denied  []evidence
}

// minute is what happened in one, in all and in no group.
type minute struct {
	at           int64
	all, dropped policies.Counts
}

func newWindow() *window {
	w := &window{callers: map[groupKey]int{}}
	for c := range w.groups {
		w.groups[c] = map[groupKey]*group{}
	}
	return w
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// add counts a record as of the instant at, which is in the newest minute or
// before it.
func (w *window) add(r *store.Record, at time.Time) {
	m := minuteOf(at)
	now := w.minute(m)
	if r.Allow {
		now.all.Allowed++
	} else {
		now.all.Denied++
		w.denied = remember(w.denied, r, m)
	}
	if _, verb, _ := strings.Cut(r.Action, "."); r.Allow && slices.Contains(reads, verb) {
		return
	}
	if m <= w.minutes[len(w.minutes)-1].at-windowMinutes {
		return // it comes too late
	}
	w.group(keyOf(r), m).add(r, at, m)
}

// minute is the counts of m. There are few, and nearly always it is the last.
func (w *window) minute(m int64) *minute {
	i := len(w.minutes)
	for i > 0 && w.minutes[i-1].at > m {
		i--
	}
	if i == 0 || w.minutes[i-1].at < m {
		w.minutes = slices.Insert(w.minutes, i, minute{at: m})
		i++
	}
	return &w.minutes[i-1]
}

// group is the one of key, new if need be. Where there is no room, one of a few
// others gives way: the one with the least in it, so that what happens often
// stays.
func (w *window) group(key groupKey, m int64) *group {
	c := key.class()
	if g, ok := w.groups[c][key]; ok {
		return g
	}
	if c != allowed && w.callers[key.caller()] >= things {
		key = key.caller()
		if g, ok := w.groups[c][key]; ok {
			return g
		}
	}
	if len(w.groups[c]) >= room[c] {
		w.drop(w.least(c), m)
	}
	key = key.own()
	g := &group{key: key}
	w.groups[c][key] = g
	if c != allowed {
		w.callers[key.caller()]++
	}
	return g
}

// least looks at a few groups, by chance: maps are walked from anywhere.
func (w *window) least(c class) (least *group) {
	n := 0
	for _, g := range w.groups[c] {
		if least == nil || cmp.Or(cmp.Compare(g.count(), least.count()), g.last.Compare(least.last)) < 0 {
			least = g
		}
		if n++; n == sample {
			break
		}
	}
	return least
}

// drop takes a group out and counts what was in it as dropped.
func (w *window) drop(g *group, now int64) {
	for _, t := range g.counts {
		into := &w.minute(min(t.minute, now)).dropped
		if g.key.allow {
			into.Allowed += t.n
		} else {
			into.Denied += t.n
		}
	}
	w.remove(g)
}

func (w *window) remove(g *group) {
	c := g.key.class()
	delete(w.groups[c], g.key)
	if c == allowed {
		return
	}
	caller := g.key.caller()
	if w.callers[caller]--; w.callers[caller] <= 0 {
		delete(w.callers, caller)
	}
}

// forget drops what is too old at the minute now, and reports whether anything is left.
func (w *window) forget(now int64) bool {
	begin := now - windowMinutes + 1
	for _, groups := range w.groups {
		for _, g := range groups {
			if !g.forget(begin) {
				w.remove(g)
			}
		}
	}
	w.minutes = slices.DeleteFunc(w.minutes, func(m minute) bool { return m.at < begin-beforeMinutes })
	w.denied = since(w.denied, begin)
	return len(w.minutes) > 0
}

// view is the window as rules see it at the instant now, and the indexes of the
// records that it names. since is when what was read of the log began.
func (w *window) view(tenant string, now, since time.Time) (*policies.Window, map[string]int64) {
	begin := minuteOf(now) - windowMinutes + 1
	v := &policies.Window{
		Now: now, Length: windowMinutes * time.Minute, Tenant: tenant, Decisions: ids(w.denied),
		Known: min(max(time.Unix(begin*60, 0).Sub(since), 0), beforeMinutes*time.Minute),
	}
	for _, m := range w.minutes {
		if m.at < begin {
			plus(&v.Before, m.all)
			continue
		}
		plus(&v.Totals, m.all)
		plus(&v.Dropped, m.dropped)
	}
	named := map[string]int64{}
	for _, e := range w.denied {
		named[e.id] = e.index
	}
	for _, groups := range w.groups {
		for _, g := range groups {
			v.Groups = append(v.Groups, g.view())
			for _, e := range g.recent {
				named[e.id] = e.index
			}
		}
	}
	return v, named
}

func plus(sum *policies.Counts, more policies.Counts) {
	sum.Allowed += more.Allowed
	sum.Denied += more.Denied
}
