package alerts

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/store"
)

var noon = time.Date(2026, 11, 22, 12, 0, 30, 0, time.UTC)

// denied is a refusal with the index i.
func denied(i int64, resource string) *store.Record {
	return &store.Record{
		Index: i, ID: fmt.Sprint("d", i), Tenant: "demo", Subject: "cus_a", Client: "web", Action: "points.read",
		Resource: resource, Code: "not_owner", Status: 403, IP: "192.0.2.1",
	}
}

func ok(i int64, action, resource string) *store.Record {
	r := denied(i, resource)
	r.Action, r.Allow, r.Code = action, true, "ok"
	return r
}

func look(w *window, now time.Time) *policies.Window {
	w.forget(minuteOf(now))
	v, _ := w.view("demo", now, noon.Add(-24*time.Hour))
	return v
}

func TestRecordsThatAreAlikeAreCounted(t *testing.T) {
	w := newWindow()
	w.add(denied(1, "cus_b"), noon.Add(-3*time.Minute))
	for i := int64(2); i < 6; i++ {
		w.add(denied(i, "cus_b"), noon.Add(time.Duration(i)*time.Second))
	}
	transfer := ok(6, "points.transfer", "cus_a")
	transfer.Related = "cus_c"
	w.add(transfer, noon)
	for i := range int64(50) {
		w.add(ok(10+i, "points.read", "cus_a"), noon) // in the totals alone
	}
	v := look(w, noon.Add(10*time.Second))
	want := &policies.Window{
		Now: noon.Add(10 * time.Second), Length: 10 * time.Minute, Tenant: "demo", Known: time.Hour,
		Totals: policies.Counts{Allowed: 51, Denied: 5}, Decisions: []string{"d3", "d4", "d5"},
		Groups: []policies.Group{
			{Action: "points.transfer", Code: "ok", Allow: true, Subject: "cus_a", Client: "web", Resource: "cus_a", Related: "cus_c",
				IP: "192.0.2.1", Count: 1, First: noon, Last: noon, Decisions: []string{"d6"}},
			{Action: "points.read", Code: "not_owner", Subject: "cus_a", Client: "web", Resource: "cus_b", IP: "192.0.2.1",
				Count: 5, First: noon.Add(-3 * time.Minute), Last: noon.Add(5 * time.Second), Decisions: []string{"d3", "d4", "d5"}},
		},
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
}

func TestAWindowMovesOn(t *testing.T) {
	w := newWindow()
	w.add(denied(1, "cus_b"), noon)
	w.add(denied(2, "cus_b"), noon.Add(5*time.Minute))
	for _, c := range []struct {
		after          time.Duration
		count, groups  int64
		denied, before int64
		ids            []string
	}{
		{5 * time.Minute, 2, 1, 2, 0, []string{"d1", "d2"}},
		{9 * time.Minute, 2, 1, 2, 0, []string{"d1", "d2"}},
		{10 * time.Minute, 1, 1, 1, 1, []string{"d2"}},
		{15 * time.Minute, 0, 0, 0, 2, []string{}},
		{69 * time.Minute, 0, 0, 0, 2, []string{}},
		{70 * time.Minute, 0, 0, 0, 1, []string{}},
	} {
		v := look(w, noon.Add(c.after))
		var count int64
		for _, g := range v.Groups {
			count += g.Count
		}
		if count != c.count || int64(len(v.Groups)) != c.groups || v.Totals.Denied != c.denied || v.Before.Denied != c.before {
			t.Errorf("after %v: %+v", c.after, v)
		}
		if diff := cmp.Diff(c.ids, v.Decisions); diff != "" {
			t.Errorf("after %v: %s", c.after, diff)
		}
	}
	if w.forget(minuteOf(noon.Add(75 * time.Minute))) {
		t.Error("something is left after all of it is too old")
	}
	if len(w.callers) != 0 {
		t.Errorf("callers are left: %v", w.callers)
	}
}

// One caller who tries everything takes no more than some groups, and hides nobody.
func TestOneCallerIsFolded(t *testing.T) {
	w := newWindow()
	for i := range int64(1000) {
		w.add(denied(i, fmt.Sprint("cus_", i)), noon)
		stranger := denied(1000+i, fmt.Sprint("cus_", i))
		stranger.Subject = ""
		w.add(stranger, noon)
	}
	v := look(w, noon)
	if len(v.Groups) != 2*(things+1) || v.Totals.Denied != 2000 || v.Dropped != (policies.Counts{}) {
		t.Fatalf("%d groups, %+v, dropped %+v", len(v.Groups), v.Totals, v.Dropped)
	}
	folded := map[string]int64{}
	for _, g := range v.Groups {
		if g.Folded {
			folded[fmt.Sprintf("%q from %q of %q", g.Subject, g.IP, g.Resource)] = g.Count
		}
	}
	want := map[string]int64{`"cus_a" from "" of ""`: 1000 - things, `"" from "192.0.2.1" of ""`: 1000 - things}
	if diff := cmp.Diff(want, folded); diff != "" {
		t.Error(diff)
	}
	look(w, noon.Add(time.Hour))
	if n := len(w.callers) + len(w.groups[known]) + len(w.groups[strangers]); n != 0 {
		t.Errorf("%d are left an hour later", n)
	}
}

// A crowd of strangers takes their room and no more: what it pushes out is
// counted, and what happens often stays.
func TestACrowdHidesNobody(t *testing.T) {
	w := newWindow()
	guess := denied(0, "cus_victim")
	guess.Subject = ""
	for i := range int64(20_000) {
		crowd := denied(i, "")
		crowd.Subject, crowd.IP = "", fmt.Sprintf("2001:db8::%x", i)
		w.add(crowd, noon)
		if i%500 == 0 {
			guess.Index, guess.ID = 100_000+i, fmt.Sprint("g", i)
			w.add(guess, noon)
		}
		if i == 10 {
			w.add(denied(200_000, "cus_b"), noon)
			w.add(ok(200_001, "points.redeem", "cus_b"), noon)
		}
	}
	v := look(w, noon)
	if len(v.Groups) > room[strangers]+2 {
		t.Errorf("%d groups", len(v.Groups))
	}
	var in, guesses int64
	var quiet []string
	for _, g := range v.Groups {
		if !g.Allow {
			in += g.Count
		}
		if g.Resource == "cus_victim" {
			guesses = g.Count
		}
		if g.Subject != "" {
			quiet = append(quiet, g.Action)
		}
	}
	if in+v.Dropped.Denied != v.Totals.Denied || v.Totals.Denied != 20_041 || v.Dropped.Denied == 0 || v.Dropped.Allowed != 0 {
		t.Errorf("%d in groups, dropped %+v, totals %+v", in, v.Dropped, v.Totals)
	}
	if guesses < 30 {
		t.Errorf("of 40 guesses, %d are seen", guesses)
	}
	if len(quiet) != 2 {
		t.Errorf("of those who are no strangers, %v are seen", quiet)
	}
}

// Nothing that is kept is a part of the batch that it came in.
func TestLongTextIsCut(t *testing.T) {
	w := newWindow()
	long := make([]byte, 10_000)
	for i := range long {
		long[i] = 0xc3
	}
	w.add(denied(1, string(long)+"ä"), noon)
	if g := look(w, noon).Groups[0]; len(g.Resource) > maxText {
		t.Errorf("%d bytes", len(g.Resource))
	}
}

// Those that come late, or from a node whose clock is behind, are counted.
func TestTimesOutOfOrder(t *testing.T) {
	w := newWindow()
	for i, at := range []time.Duration{0, -2 * time.Minute, time.Minute, -time.Minute, -30 * time.Minute} {
		w.add(denied(int64(i), "cus_b"), noon.Add(at))
	}
	v := look(w, noon.Add(time.Minute))
	if v.Totals.Denied != 4 || v.Before.Denied != 1 || v.Groups[0].Count != 4 {
		t.Errorf("%+v", v)
	}
}

func BenchmarkAdd(b *testing.B) {
	w := newWindow()
	r := ok(1, "points.redeem", "cus_a")
	b.ReportAllocs()
	for b.Loop() {
		w.add(r, noon)
	}
}
