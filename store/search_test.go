package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

// library writes records with few different values, and remembers them: what
// lists and counts say is compared with a walk over all of them.
type library struct {
	rand *rand.Rand
	all  []store.Record
	now  time.Time
}

func newLibrary() *library {
	return &library{rand: rand.New(rand.NewPCG(7, 7)), now: time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC)}
}

func (l *library) one(prefix string, n int) string { return fmt.Sprint(prefix, l.rand.IntN(n)) }

// record makes one; clocks jump, and some records have little.
func (l *library) record() *store.Record {
	l.now = l.now.Add(time.Duration(l.rand.IntN(2000)) * time.Millisecond)
	at := l.now
	if l.rand.IntN(50) == 0 {
		at = at.Add(time.Duration(l.rand.IntN(7200)-3600) * time.Second)
	}
	r := &store.Record{
		ID: fmt.Sprintf("%012x-%08x", at.UnixMilli(), l.rand.Uint32()), At: store.At(at), Tenant: l.one("t", 2), Action: l.one("act", 5),
		Allow: l.rand.IntN(3) > 0, Code: "ok", Request: l.one("r", 1_000_000),
	}
	if l.rand.IntN(10) > 0 {
		r.Subject, r.Client, r.Resource, r.Grant = l.one("s", 300), l.one("c", 4), l.one("s", 300), l.one("g", 50)
	}
	if l.rand.IntN(10) == 0 {
		r.Related = l.one("s", 300)
	}
	if l.rand.IntN(4) == 0 {
		r.Subject = "service\x00\xff" // no text to PostgreSQL
	}
	if !r.Allow {
		r.Code = l.one("code", 6)
		for range l.rand.IntN(3) {
			r.Rules = append(r.Rules, l.one("rule", 40))
		}
	}
	r.Body = []byte(`{"custom":{"tenant":"t"}}`)
	return r
}

// write commits n records in groups.
func (l *library) write(t *testing.T, db *store.DB, n int) {
	t.Helper()
	for n > 0 {
		var group []*store.Record
		for range min(n, 1+l.rand.IntN(5000)) {
			group = append(group, l.record())
		}
		storetest.Write(t, db, func(tx *store.Tx) error {
			for _, r := range group {
				tx.Record(r)
			}
			return nil
		})
		for _, r := range group {
			l.all = append(l.all, *r)
		}
		n -= len(group)
	}
}

// filter makes one of few or many members, mostly out of a record that there is.
func (l *library) filter() store.DecisionFilter {
	r := l.all[l.rand.IntN(len(l.all))]
	f := store.DecisionFilter{Tenant: r.Tenant, Limit: 1 + l.rand.IntN(40)}
	for _, m := range []func(){
		func() { f.Subject = r.Subject }, func() { f.Client = r.Client }, func() { f.Action = r.Action }, func() { f.Resource = r.Resource },
		func() { f.Related = r.Related }, func() { f.Allow = &r.Allow }, func() { f.Code = r.Code }, func() { f.Request = r.Request },
		func() { f.Grant = r.Grant }, func() { f.Prefix = r.ID[:l.rand.IntN(len(r.ID)+1)] },
		func() { f.From = r.At }, func() { f.To = store.At(r.At.Add(time.Duration(l.rand.IntN(4000)) * time.Second)) },
		func() { f.Client = "nobody" },
		func() {
			if len(r.Rules) > 0 {
				f.Rule = r.Rules[len(r.Rules)-1]
			}
		},
	} {
		if l.rand.IntN(9) == 0 {
			m()
		}
	}
	switch l.rand.IntN(4) {
	case 0:
		f.Tail, f.After = true, r.Index-1
	case 1:
		f.Before = r.Index + 1
	}
	return f
}

func same(want, got string) bool { return want == "" || want == got }

func (l *library) holds(f *store.DecisionFilter, r *store.Record) bool {
	return r.Tenant == f.Tenant && same(f.Subject, r.Subject) && same(f.Client, r.Client) && same(f.Action, r.Action) &&
		same(f.Resource, r.Resource) && same(f.Related, r.Related) && same(f.Code, r.Code) && same(f.Request, r.Request) && same(f.Grant, r.Grant) &&
		(f.Allow == nil || *f.Allow == r.Allow) && (f.Rule == "" || r.Rules.Has(f.Rule)) && strings.HasPrefix(r.ID, f.Prefix) &&
		(f.From.IsZero() || r.At.Compare(f.From.Time) >= 0) && (f.To.IsZero() || r.At.Compare(f.To.Time) < 0)
}

// want is what a list must have.
func (l *library) want(f store.DecisionFilter) (out []int64) {
	for i := range l.all {
		r := &l.all[i]
		if (f.Before == 0 || r.Index < f.Before) && (!f.Tail || r.Index > f.After) && l.holds(&f, r) {
			out = append(out, r.Index)
		}
	}
	if !f.Tail {
		slices.Reverse(out)
	}
	return out[:min(len(out), f.Limit)]
}

func (l *library) check(t *testing.T, db *store.DB, rounds int) {
	t.Helper()
	for range rounds {
		f := l.filter()
		got, err := db.Decisions(background, f)
		if err != nil {
			t.Fatal(err)
		}
		var indexes []int64
		for _, r := range got {
			indexes = append(indexes, r.Index)
			if diff := cmp.Diff(l.all[r.Index].ID, r.ID); diff != "" {
				t.Fatal(diff)
			}
		}
		if diff := cmp.Diff(l.want(f), indexes); diff != "" {
			t.Fatalf("%+v: %s", f, diff)
		}
		r := l.all[l.rand.IntN(len(l.all))]
		if one, err := db.Decision(background, r.Tenant, r.ID); err != nil || one.Index != r.Index {
			t.Fatalf("decision %s: %v, %v; want index %d", r.ID, one, err, r.Index)
		}
		if _, err := db.Decision(background, r.Tenant+"x", r.ID); err == nil {
			t.Fatal("another tenant reads it")
		}
	}
}

var countedBy = map[string]func(*store.Record) []string{
	"code":    func(r *store.Record) []string { return []string{r.Code} },
	"client":  func(r *store.Record) []string { return []string{r.Client} },
	"action":  func(r *store.Record) []string { return []string{r.Action} },
	"subject": func(r *store.Record) []string { return []string{r.Subject} },
	"rule":    func(r *store.Record) []string { return r.Rules },
}

// checkCounts: each count is that of a walk over all records.
func (l *library) checkCounts(t *testing.T, db *store.DB, rounds int) {
	t.Helper()
	for range rounds {
		for _, by := range slices.Sorted(maps.Keys(countedBy)) {
			values := countedBy[by]
			f := l.filter()
			f.Prefix, f.Tail, f.After, f.Before = "", false, 0, 0
			f.From = l.all[l.rand.IntN(len(l.all))].At
			f.To = store.At(f.From.Add(time.Duration(1+l.rand.IntN(36*3600)) * time.Second))
			c := store.Counting{Filter: f, By: by, Step: time.Hour, Limit: 1 + l.rand.IntN(10)}
			got, err := db.CountDecisions(background, c)
			if err != nil {
				t.Fatal(err)
			}
			named := map[string]bool{}
			for _, n := range got {
				if !n.Other {
					named[n.Value] = true
				}
			}
			if diff := cmp.Diff(l.counts(&c, named, values), byPlace(got)); diff != "" {
				t.Fatalf("%s %+v: %s", by, f, diff)
			}
			l.checkNamed(t, &c, named, l.totals(&f, values))
		}
	}
}

// checkNamed: as many values as there may be, and none that is left out has more
// decisions than one that is named; but who is named among many subjects is an
// estimate.
func (l *library) checkNamed(t *testing.T, c *store.Counting, named map[string]bool, totals map[string]int) {
	t.Helper()
	if len(named) != min(c.Limit, len(totals)) {
		t.Fatalf("%+v: %d values are named of %v", c, len(named), totals)
	}
	least, most := len(l.all), 0
	for v, n := range totals {
		if named[v] {
			least = min(least, n)
		} else {
			most = max(most, n)
		}
	}
	if c.By != "subject" && least < most {
		t.Fatalf("%+v: %v are named of %v", c, named, totals)
	}
}

// place is where one count belongs.
type place struct {
	At    int64
	Value string
	Other bool
}

// verdicts are the decisions there, allowed and denied.
type verdicts [2]int64

func byPlace(list []store.Count) map[place]verdicts {
	out := map[place]verdicts{}
	for _, n := range list {
		out[place{n.At.Unix(), n.Value, n.Other}] = verdicts{n.Allowed, n.Denied}
	}
	return out
}

func (l *library) counts(c *store.Counting, named map[string]bool, values func(*store.Record) []string) map[place]verdicts {
	out := map[place]verdicts{}
	for i := range l.all {
		r := &l.all[i]
		if !l.holds(&c.Filter, r) {
			continue
		}
		other := true
		add := func(value string, other bool) {
			p := place{r.At.Truncate(time.Hour).Unix(), value, other}
			n := out[p]
			if r.Allow {
				n[0]++
			} else {
				n[1]++
			}
			out[p] = n
		}
		own := slices.Clone(values(r))
		slices.Sort(own)
		for _, v := range slices.Compact(own) {
			if v != "" && named[v] {
				other = false
				add(v, false)
			}
		}
		if other {
			add("", true)
		}
	}
	return out
}

func (l *library) totals(f *store.DecisionFilter, values func(*store.Record) []string) map[string]int {
	out := map[string]int{}
	for i := range l.all {
		if r := &l.all[i]; l.holds(f, r) {
			own := slices.Clone(values(r))
			slices.Sort(own)
			for _, v := range slices.Compact(own) {
				if v != "" {
					out[v]++
				}
			}
		}
	}
	return out
}

// TestListsAgreeWithTheLog over more than one chunk of the index, wherever the
// index has come to.
func TestListsAgreeWithTheLog(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db, l := storetest.Open(t, o), newLibrary()
		sizes := []int{1, 255, 2, 1000, 300}
		if o.URL == "" {
			sizes = append(sizes, 64_000, 700)
		}
		for _, n := range sizes {
			l.write(t, db, n)
			if n < 10_000 { // the others take long to read from the log
				l.check(t, db, 10)
				l.checkCounts(t, db, 1)
			}
			if err := db.Index(background); err != nil {
				t.Fatal(err)
			}
			l.check(t, db, 40)
			l.checkCounts(t, db, 2)
		}
	})
}

// TestListsSeeWhatWasCommitted before they were asked, while others write and
// the index follows.
func TestListsSeeWhatWasCommitted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var wg sync.WaitGroup
		stop := make(chan struct{})
		var following sync.WaitGroup
		following.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := db.Index(background); err != nil {
					t.Error(err)
					return
				}
			}
		})
		from := store.At(db.Now().Add(-time.Hour))
		for w := range 4 {
			wg.Go(func() {
				me := fmt.Sprint("writer", w)
				for i := range 40 {
					r := record(db, fmt.Sprintf("%s-%d", me, i))
					r.Subject, r.Request = me, r.ID
					if err := db.Append(background, r); err != nil {
						t.Error(err)
						return
					}
					mine, err := db.Decisions(background, store.DecisionFilter{Tenant: "t", Subject: me, Limit: 100})
					if err != nil || len(mine) != i+1 || mine[0].ID != r.ID {
						t.Errorf("%s wrote %d and sees %d, %v", me, i+1, len(mine), err)
						return
					}
					if _, err := db.Decision(background, "t", r.ID); err != nil {
						t.Error(err)
					}
					n, err := db.CountDecisions(background, store.Counting{By: "subject", Step: 24 * time.Hour, Limit: 10,
						Filter: store.DecisionFilter{Tenant: "t", Request: r.ID, From: from, To: store.At(db.Now().Add(time.Hour))}})
					if err != nil || len(n) != 1 || n[0].Value != me || n[0].Allowed != 1 {
						t.Errorf("%s counts %+v, %v", me, n, err)
					}
				}
			})
		}
		wg.Wait()
		close(stop)
		following.Wait()
	})
}

func TestCountingIsBounded(t *testing.T) {
	db := storetest.SQLite(t)
	from := store.At(db.Now())
	ok := store.Counting{By: "code", Step: time.Hour, Limit: 1, Filter: store.DecisionFilter{Tenant: "t", From: from, To: store.At(from.Add(time.Hour))}}
	if _, err := db.CountDecisions(background, ok); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for name, change := range map[string]func(c *store.Counting){
		"by what":      func(c *store.Counting) { c.By = "request" },
		"no step":      func(c *store.Counting) { c.Step = 0 },
		"no limit":     func(c *store.Counting) { c.Limit = 0 },
		"no beginning": func(c *store.Counting) { c.Filter.From = store.Time{} },
		"backwards":    func(c *store.Counting) { c.Filter.To = c.Filter.From },
		"too long":     func(c *store.Counting) { c.Filter.To = store.At(from.Add(1001 * time.Hour)) },
	} {
		c := ok
		change(&c)
		if _, err := db.CountDecisions(background, c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
