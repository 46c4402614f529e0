package alerts

import (
	"strings"
	"time"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/store"
)

// groupKey is what records of one group have in common.
type groupKey struct {
	action, code                           string
	allow, folded                          bool
	subject, client, resource, related, ip string
}

// class says with whom a group shares its room, so that a crowd of one kind
// can't hide another: strangers cost nothing to be.
type class int

const (
	allowed class = iota
	known         // denied, to somebody
	strangers
	classes
)

// room is how many groups of each class a tenant may have.
var room = [classes]int{allowed: 2000, known: 1000, strangers: 1000}

// things is how many groups one caller who is denied may have of one action and
// code, for different resources and addresses; what is over is folded into one.
const things = 64

const (
	recentIDs = 3   // decisions that a group keeps
	maxText   = 256 // bytes of one member
	sample    = 16  // groups looked at for the one that gives way
)

// group is records that are alike.
type group struct {
	key    groupKey
	counts []tally // by minute, oldest first
	last   time.Time
	recent []evidence
}

type tally struct {
	minute int64
	n      int64
	first  time.Time
}

// evidence is a record that shows something.
type evidence struct {
	id     string
	index  int64
	minute int64
}

func keyOf(r *store.Record) groupKey {
	return groupKey{
		action: clip(r.Action), code: clip(r.Code), allow: r.Allow, subject: clip(r.Subject), client: clip(r.Client),
		resource: clip(r.Resource), related: clip(r.Related), ip: clip(r.IP),
	}
}

func clip(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}

// own copies: a record's strings may be parts of a large batch.
func (k groupKey) own() groupKey {
	for _, s := range []*string{&k.action, &k.code, &k.subject, &k.client, &k.resource, &k.related, &k.ip} {
		*s = strings.Clone(*s)
	}
	return k
}

func (k *groupKey) class() class {
	switch {
	case k.allow:
		return allowed
	case k.subject != "":
		return known
	}
	return strangers
}

// caller is who was denied, of the group's action and code: a subject through a
// client, or a stranger's address.
func (k *groupKey) caller() groupKey {
	c := groupKey{action: k.action, code: k.code, folded: true, subject: k.subject, client: k.client}
	if k.subject == "" {
		c.ip = k.ip
	}
	return c
}

func (g *group) add(r *store.Record, at time.Time, m int64) {
	n := len(g.counts)
	if n == 0 || g.counts[n-1].minute < m {
		g.counts = append(g.counts, tally{minute: m, first: at})
		n++
	}
	g.counts[n-1].n++ // one that comes late is counted as now
	if at.After(g.last) {
		g.last = at
	}
	g.recent = remember(g.recent, r, g.counts[n-1].minute)
}

// remember keeps the newest few.
func remember(recent []evidence, r *store.Record, m int64) []evidence {
	if len(recent) == recentIDs {
		recent = append(recent[:0], recent[1:]...)
	}
	return append(recent, evidence{id: strings.Clone(r.ID), index: r.Index, minute: m})
}

// forget drops what is before a minute and reports whether anything is left.
func (g *group) forget(before int64) bool {
	gone := 0
	for gone < len(g.counts) && g.counts[gone].minute < before {
		gone++
	}
	g.counts = append(g.counts[:0], g.counts[gone:]...)
	g.recent = since(g.recent, before)
	return len(g.counts) > 0
}

func since(recent []evidence, minute int64) []evidence {
	for len(recent) > 0 && recent[0].minute < minute {
		recent = recent[1:]
	}
	return recent
}

func (g *group) count() (n int64) {
	for _, t := range g.counts {
		n += t.n
	}
	return n
}

// view is the group as rules see it.
func (g *group) view() policies.Group {
	k := &g.key
	return policies.Group{
		Action: k.action, Code: k.code, Allow: k.allow, Subject: k.subject, Client: k.client, Resource: k.resource,
		Related: k.related, IP: k.ip, Folded: k.folded, Count: g.count(), First: g.counts[0].first, Last: g.last, Decisions: ids(g.recent),
	}
}

func ids(recent []evidence) []string {
	out := make([]string, len(recent))
	for i, e := range recent {
		out[i] = e.id
	}
	return out
}
