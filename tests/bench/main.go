package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/pointgate/pointgate/tests/harness"
)

func main() {
	seconds := flag.Int("seconds", 3, "of load for each case in each round")
	rounds := flag.Int("rounds", 3, "of all cases")
	trail := flag.Bool("trail", false, "compare with a build that does not hash its log")
	growth := flag.Bool("growth", false, "compare a store of a million expired tokens with an empty one")
	tokens := flag.Int("tokens", 1_000_000, "that are expired, for -growth: thousands")
	empty := flag.String("empty", "", "postgres://… of an empty database, for -growth; SQLite without")
	full := flag.String("full", "", "postgres://… of another one")
	bare := flag.String("bare", "", "be the bare handler on this address")
	flag.Parse()
	var err error
	switch {
	case *bare != "":
		err = serveBare(*bare)
	case *growth:
		err = benchGrowth(time.Duration(*seconds)*time.Second, *rounds, *tokens, [2]string{*empty, *full})
	case *trail:
		err = benchTrail(time.Duration(*seconds)*time.Second, *rounds)
	default:
		err = bench(time.Duration(*seconds)*time.Second, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(each time.Duration, rounds int) error {
	binary, err := harness.Binary()
	if err != nil {
		return err
	}
	scratch := filepath.Dir(binary)
	defer os.RemoveAll(scratch)
	s, idle, err := startIdle(scratch)
	if err != nil {
		return err
	}
	defer s.Kill()
	compared, stop, err := startBare()
	if err != nil {
		return err
	}
	defer stop()
	all, err := cases(s, compared)
	if err != nil {
		return err
	}
	for range rounds {
		for _, c := range all {
			m, err := c.measure(each)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.rounds = append(c.rounds, m)
		}
	}
	if err := report(all); err != nil {
		return err
	}
	fmt.Print(idle)
	return s.Stop()
}

// startIdle starts the demo in an empty folder and looks at it before it has work.
func startIdle(scratch string) (*harness.Server, string, error) {
	began := time.Now()
	s, err := harness.Launch(scratch, harness.Options{Unchecked: true})
	if err != nil {
		return nil, "", err
	}
	first := time.Since(began)
	if err := s.Stop(); err != nil {
		return nil, "", err
	}
	began = time.Now()
	if err := s.Restart(); err != nil {
		return nil, "", err
	}
	again := time.Since(began)
	rss, err := residentMiB(s.Pid())
	return s, fmt.Sprintf("\nidle demo: %d MiB resident; ready after %d ms (new folder), %d ms (again)\n",
		rss, first.Milliseconds(), again.Milliseconds()), err
}

// cases are what is measured; the first is what the others are compared with.
func cases(s *harness.Server, bare server) ([]*benchCase, error) {
	alice, err := s.Tokens(harness.People["alice"], harness.Apps["demo-web"], "points:read points:write")
	if err != nil {
		return nil, err
	}
	a, err := s.Post("/api/points/adjust", s.Demo.AdminToken, map[string]any{"customer_id": "cus_alice", "points": 100_000_000, "reason": "for the bench"})
	if err == nil && a.Status != 201 {
		err = errors.New(a.String())
	}
	program := server{address: s.Address(), pid: s.Pid()}
	return []*benchCase{
		{name: "bare Fiber", server: bare, request: get("/", "")},
		{name: "GET /api/points", server: program, request: get("/api/points", alice.Access)},
		{name: "POST /api/points/redeem", server: program, request: post("/api/points/redeem", alice.Access, `{"points":1,"reason":"bench"}`)},
	}, err
}

func report(all []*benchCase) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "case\treq/s\tp50 µs\tp99 µs\tCPU µs/req\tratio\tnot 2xx\t")
	for _, c := range all {
		m := c.median()
		fmt.Fprintf(w, "%s\t%.0f\t%d\t%d\t%.0f\t%.3f\t%d\t\n", c.name, m.perSecond, m.p50.Microseconds(), m.p99.Microseconds(), m.cpu, c.ratio(all[0]), m.failed)
	}
	return w.Flush()
}

// median is the round in the middle, by speed.
func (c *benchCase) median() measurement {
	sorted := slices.SortedFunc(slices.Values(c.rounds), func(a, b measurement) int { return cmp.Compare(a.perSecond, b.perSecond) })
	return sorted[len(sorted)/2]
}

// ratio is the median of the rounds' ratios.
func (c *benchCase) ratio(to *benchCase) float64 {
	var ratios []float64
	for i := range c.rounds {
		ratios = append(ratios, c.rounds[i].perSecond/to.rounds[i].perSecond)
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}
