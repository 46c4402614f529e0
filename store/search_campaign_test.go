package store

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
)

// The campaign fills a log as a busy year would and times every way to search
// it. It takes minutes and gigabytes, so it runs on demand: make search.
var (
	campaignRecords  = flag.Int("search", 0, "run the search campaign on a log of so many records")
	campaignDatabase = flag.String("search-database", "", "postgres://… of an empty database for the search campaign; empty: SQLite in a temporary folder")
	campaignDir      = flag.String("search-dir", "", "folder of the search campaign, kept; empty: a temporary one")
)

// What a list may take, and what counts of all records for a chart may.
const (
	listLimit  = 100 * time.Millisecond
	countLimit = 500 * time.Millisecond
)

func TestSearchCampaign(t *testing.T) {
	if *campaignRecords == 0 {
		t.Skip("skipped: minutes and gigabytes; make search runs it")
	}
	ctx := context.Background()
	o := Options{URL: *campaignDatabase, Dir: *campaignDir, Observe: &Observer{Index: func(_, _ int64, err error) {
		if err != nil {
			t.Log("index: ", err)
		}
	}}}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	db, err := Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := newSample()
	if err := s.build(ctx, t, db); err != nil {
		t.Fatal(err)
	}
	s.sizes(ctx, t, db, o.Dir)
	if err := s.draw(ctx, db); err != nil {
		t.Fatal(err)
	}
	s.time(ctx, t, db)
	t.Log(s.table.String())
}

// sample makes records of one large and 19 small tenants: a million customers,
// 50 clients, 30 actions, 40 codes, all skewed, over 30 days.
type sample struct {
	rand                                        *rand.Rand
	customers, clients, actions, codes, tenants *rand.Zipf
	from, to                                    time.Time
	ids, requests                               []string // of some records of the large tenant
	table                                       strings.Builder
	at                                          []time.Time
}

const largeTenant = "shop"

func newSample() *sample {
	r := rand.New(rand.NewPCG(1, 2))
	to := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	return &sample{
		rand: r, customers: rand.NewZipf(r, 1.05, 50, 999_999), clients: rand.NewZipf(r, 1.4, 2, 48), actions: rand.NewZipf(r, 1.3, 2, 28),
		codes: rand.NewZipf(r, 1.3, 1, 38), tenants: rand.NewZipf(r, 1.2, 1, 18), from: to.AddDate(0, 0, -30), to: to,
	}
}

func (s *sample) customer() string {
	if s.rand.IntN(2) == 0 {
		return fmt.Sprintf("cus_%07d", s.rand.IntN(1_000_000))
	}
	return fmt.Sprintf("cus_%07d", s.customers.Uint64())
}

func (s *sample) record(at time.Time) *Record {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], s.rand.Uint64())
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|7<<12|uint64(s.rand.IntN(1<<12)))
	id[8] = id[8]&0x3f | 0x80
	r := &Record{
		ID: id.String(), At: At(at), Tenant: largeTenant, Subject: s.customer(), Client: fmt.Sprintf("client_%02d", s.clients.Uint64()),
		Action: fmt.Sprintf("points.action%02d", s.actions.Uint64()), Allow: true, Code: "ok", Status: 200,
		Request: fmt.Sprintf("req_%013x%013x", s.rand.Uint64()>>12, s.rand.Uint64()>>12), IP: fmt.Sprintf("203.0.113.%d", s.rand.IntN(256)),
	}
	r.Resource, r.Grant = r.Subject, "grt_"+r.Subject[4:]+r.Client[7:]
	if s.rand.IntN(5) == 0 {
		r.Tenant = fmt.Sprintf("tenant%02d", s.tenants.Uint64())
	}
	switch n := s.rand.IntN(100); {
	case n < 12:
		r.Code = fmt.Sprintf("code_%02d", s.codes.Uint64())
		r.Allow, r.Status, r.Rules = false, 403, Words{"pointgate.points." + r.Code}
	case n < 17:
		r.Action, r.Related = "points.transfer", s.customer()
	case n < 30: // a service that does one thing, all day
		r.Subject, r.Client, r.Grant, r.Action = "service", "service", "", "points.earn"
	}
	r.Body = fmt.Appendf(nil, `{"decision_id":%q,"path":"pointgate/decision","input":{"subject":{"id":%q},"action":{"name":%q},"pad":%q},"custom":{"tenant":%q}}`,
		r.ID, r.Subject, r.Action, strings.Repeat("x", 400), r.Tenant)
	return r
}

// build fills the log and indexes it, unless a folder that was kept has both.
func (s *sample) build(ctx context.Context, t *testing.T, db *DB) error {
	size, err := db.LogSize(ctx)
	if err != nil || size >= int64(*campaignRecords) {
		return errors.Join(err, db.Index(ctx))
	}
	began := time.Now()
	if err := s.fill(ctx, db, *campaignRecords); err != nil {
		return err
	}
	t.Logf("%d records written in %v", *campaignRecords, time.Since(began).Round(time.Millisecond))
	db.index.pass.Lock() // what it has made meanwhile doesn't count
	err = db.index.reset(ctx)
	db.index.pass.Unlock()
	if err != nil {
		return err
	}
	began, before := time.Now(), processorTime()
	err = db.Index(ctx)
	took, used := time.Since(began), processorTime()-before
	t.Logf("index: made in %v, %.0f records/s, %v of processor for each", took.Round(time.Millisecond),
		float64(*campaignRecords)/took.Seconds(), used/time.Duration(*campaignRecords))
	return err
}

// fill writes records by the group, as the writer does.
func (s *sample) fill(ctx context.Context, db *DB, n int) error {
	const group = 20_000
	step := s.to.Sub(s.from) / time.Duration(n)
	has, err := db.LogSize(ctx)
	if err != nil {
		return err
	}
	for at := int(has); at < n; {
		var g []*Record
		for ; len(g) < group && at < n; at++ {
			g = append(g, s.record(s.from.Add(time.Duration(at)*step+time.Duration(s.rand.Int64N(int64(time.Second))))))
		}
		err := db.Write(ctx, func(tx *Tx) error {
			for _, r := range g {
				tx.Record(r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// draw remembers some records of the large tenant.
func (s *sample) draw(ctx context.Context, db *DB) error {
	size, err := db.LogSize(ctx)
	if err != nil {
		return err
	}
	for len(s.ids) < 1000 {
		found, err := db.recordsAt(ctx, []int64{s.rand.Int64N(size)})
		if err != nil {
			return err
		}
		if r := found[0]; r.Tenant == largeTenant {
			s.ids, s.requests, s.at = append(s.ids, r.ID), append(s.requests, r.Request), append(s.at, r.At.Time)
		}
	}
	return nil
}

func (s *sample) sizes(ctx context.Context, t *testing.T, db *DB, dir string) {
	if db.dialect.local {
		for _, name := range []string{File, IndexFile} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d MiB", name, info.Size()>>20)
		}
		return
	}
	for _, name := range append([]string{"batches"}, indexTables...) {
		var n int64
		if err := db.read.GetContext(ctx, &n, `SELECT pg_total_relation_size($1::regclass)`, name); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d MiB", name, n>>20)
	}
}

// search is one way to search; its filter is made anew for each round.
type search struct {
	name   string
	filter func() DecisionFilter
}

func (s *sample) pick(list []string) string { return list[s.rand.IntN(len(list))] }

func (s *sample) moment() time.Time { return s.at[s.rand.IntN(len(s.at))] }

func (s *sample) searches(size int64) []search {
	no, yes := false, true
	return []search{
		{"nothing", func() DecisionFilter { return DecisionFilter{} }},
		{"nothing, 200 of them", func() DecisionFilter { return DecisionFilter{Limit: 201} }},
		{"nothing, deep", func() DecisionFilter { return DecisionFilter{Before: s.rand.Int64N(size) + 1} }},
		{"small tenant", func() DecisionFilter { return DecisionFilter{Tenant: "tenant18"} }},
		{"subject", func() DecisionFilter { return DecisionFilter{Subject: s.customer()} }},
		{"subject, heavy", func() DecisionFilter { return DecisionFilter{Subject: "service"} }},
		{"subject, unknown", func() DecisionFilter { return DecisionFilter{Subject: "nobody"} }},
		{"subject, oldest first", func() DecisionFilter { return DecisionFilter{Subject: s.customer(), Tail: true, After: -1} }},
		{"client", func() DecisionFilter { return DecisionFilter{Client: fmt.Sprintf("client_%02d", s.rand.IntN(49))} }},
		{"action", func() DecisionFilter {
			return DecisionFilter{Action: fmt.Sprintf("points.action%02d", s.rand.IntN(29))}
		}},
		{"resource", func() DecisionFilter { return DecisionFilter{Resource: s.customer()} }},
		{"related", func() DecisionFilter { return DecisionFilter{Related: s.customer()} }},
		{"denied", func() DecisionFilter { return DecisionFilter{Allow: &no} }},
		{"code", func() DecisionFilter { return DecisionFilter{Code: fmt.Sprintf("code_%02d", s.rand.IntN(39))} }},
		{"request", func() DecisionFilter { return DecisionFilter{Request: s.pick(s.requests)} }},
		{"grant", func() DecisionFilter { return DecisionFilter{Grant: "grt_" + s.customer()[4:] + "00"} }},
		{"rule", func() DecisionFilter {
			return DecisionFilter{Rule: fmt.Sprintf("pointgate.points.code_%02d", s.rand.IntN(39))}
		}},
		{"whole id", func() DecisionFilter { return DecisionFilter{Prefix: s.pick(s.ids)} }},
		{"prefix of 12", func() DecisionFilter { return DecisionFilter{Prefix: s.pick(s.ids)[:12]} }},
		{"prefix of 6", func() DecisionFilter { return DecisionFilter{Prefix: s.pick(s.ids)[:6]} }},
		{"prefix of nobody", func() DecisionFilter { return DecisionFilter{Prefix: "ffff"} }},
		{"to", func() DecisionFilter { return DecisionFilter{To: At(s.moment())} }},
		{"from, oldest first", func() DecisionFilter { return DecisionFilter{From: At(s.moment()), Tail: true, After: -1} }},
		{"one second", func() DecisionFilter {
			m := s.moment()
			return DecisionFilter{From: At(m), To: At(m.Add(time.Second))}
		}},
		{"subject in a day", func() DecisionFilter {
			m := s.moment()
			return DecisionFilter{From: At(m), To: At(m.Add(24 * time.Hour)), Subject: s.customer()}
		}},
		{"client and action that never meet", func() DecisionFilter { return DecisionFilter{Client: "service", Action: "points.action00"} }},
		{"allowed and action, never denied code", func() DecisionFilter {
			return DecisionFilter{Allow: &yes, Action: "points.action00", Code: "code_00"}
		}},
		{"denied and resource", func() DecisionFilter { return DecisionFilter{Allow: &no, Resource: s.customer()} }},
		{"client and code", func() DecisionFilter { return DecisionFilter{Client: "client_20", Code: "code_20"} }},
		{"denied, code, action, client", func() DecisionFilter {
			return DecisionFilter{Allow: &no, Code: "code_01", Action: "points.action02", Client: "client_30"}
		}},
		{"allowed and a request", func() DecisionFilter { return DecisionFilter{Allow: &yes, Request: s.pick(s.requests)} }},
	}
}

// How often each is asked: 99 of 100 tell something of lists only if there are
// some hundred.
const (
	listRounds  = 200
	countRounds = 40
)

func (s *sample) time(ctx context.Context, t *testing.T, db *DB) {
	size, err := db.LogSize(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&s.table, "\n%-40s %10s %10s %10s %8s\n", "list by", "p50", "p99", "processor", "found")
	for _, q := range s.searches(size) {
		s.report(t, listLimit, q.name, func() (int, error) {
			f := q.filter()
			if f.Tenant == "" {
				f.Tenant = largeTenant
			}
			if f.Limit == 0 {
				f.Limit = 51
			}
			out, err := db.Decisions(ctx, f)
			return len(out), err
		})
	}
	s.report(t, listLimit, "one record", func() (int, error) {
		_, err := db.Decision(ctx, largeTenant, s.pick(s.ids))
		return 1, err
	})
	fmt.Fprintf(&s.table, "\n%-40s %10s %10s %10s %8s\n", "count by", "p50", "p99", "processor", "counts")
	for _, by := range []string{"code", "client", "action", "rule", "subject"} {
		for _, span := range []struct {
			name string
			days int
			step time.Duration
		}{{"a day by the hour", 1, time.Hour}, {"30 days by the hour", 30, time.Hour}, {"30 days by the day", 30, 24 * time.Hour}} {
			s.report(t, countLimit, by+", "+span.name, func() (int, error) {
				to := s.to.AddDate(0, 0, -s.rand.IntN(31-span.days))
				out, err := db.CountDecisions(ctx, Counting{
					Filter: DecisionFilter{Tenant: largeTenant, From: At(to.AddDate(0, 0, -span.days)), To: At(to)}, By: by, Step: span.step, Limit: 20,
				})
				return len(out), err
			})
		}
	}
	no := false
	s.report(t, countLimit, "denied by code, 30 days by the hour", func() (int, error) {
		out, err := db.CountDecisions(ctx, Counting{
			Filter: DecisionFilter{Tenant: largeTenant, Allow: &no, From: At(s.from), To: At(s.to)}, By: "code", Step: time.Hour, Limit: 20,
		})
		return len(out), err
	})
}

// report makes a line of the table.
func (s *sample) report(t *testing.T, limit time.Duration, name string, search func() (int, error)) {
	t.Run(name, func(t *testing.T) {
		var took []time.Duration
		found, before := 0, processorTime()
		rounds := listRounds
		if limit == countLimit {
			rounds = countRounds
		}
		for range rounds {
			began := time.Now()
			n, err := search()
			if err != nil {
				t.Fatal(err)
			}
			took, found = append(took, time.Since(began)), max(found, n)
		}
		slices.Sort(took)
		p50, p99 := took[len(took)/2].Round(10*time.Microsecond), took[len(took)*99/100].Round(10*time.Microsecond)
		cpu := ((processorTime() - before) / time.Duration(rounds)).Round(10 * time.Microsecond)
		fmt.Fprintf(&s.table, "%-40s %10v %10v %10v %8d\n", name, p50, p99, cpu, found)
		if p99 > limit {
			t.Errorf("p99 is %v, want at most %v", p99, limit)
		}
	})
}

// processorTime is what the process has used: unlike the clock, it does not
// count what others do on the machine. PostgreSQL's own is not in it.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
