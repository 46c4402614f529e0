package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/pointgate/pointgate/tests/harness"
)

const (
	liveTokens  = 10_000
	askedTokens = 1_000 // of the live ones, in turn
	// mostGrowth is what a full store may cost of the latency of an empty one.
	mostGrowth = 1.2
)

// benchGrowth loads the program over a store in which so many tokens are expired and ten thousand live, and over one without, in turns: the expired ones
// are being removed meanwhile, as they would be.
func benchGrowth(each time.Duration, rounds, expired int, databases [2]string) error {
	scratch, err := os.MkdirTemp("", "pointgate-growth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	var all [2][]*benchCase
	for i, store := range []struct {
		name          string
		expired, live int
	}{{"empty", 0, askedTokens}, {"full", expired, liveTokens}} {
		s, err := grown(filepath.Join(scratch, store.name), databases[i], store.expired)
		if err != nil {
			return err
		}
		defer s.Kill()
		tokens, err := issue(s, store.live)
		if err != nil {
			return err
		}
		all[i] = growthCases(s, store.name, tokens[:askedTokens])
		if store.expired > 0 {
			if err := untilCleaning(s); err != nil {
				return err
			}
			defer reportCleaning(s)
		}
	}
	return compareGrowth(all[0], all[1], each, rounds)
}

// grown is a demo in whose store so many tokens are expired.
func grown(dir, database string, expired int) (*harness.Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s, err := harness.Launch(dir, harness.Options{Unchecked: true, Database: database})
	if err != nil || expired == 0 {
		return s, err
	}
	if err := s.Stop(); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := fill(s.Dir, database, expired); err != nil {
		return nil, err
	}
	fmt.Printf("%d expired tokens and their grants written in %.0f s\n", expired, time.Since(began).Seconds())
	return s, s.Restart()
}

// tokenRequest is what is measured of the token endpoint: a grant, a token and a
// record each time.
func tokenRequest() []byte {
	return form("/oauth2/token", "demo-service", "grant_type=client_credentials&scope=points%3Aread")
}

func form(path, client, body string) []byte {
	basic := base64.StdEncoding.EncodeToString([]byte(client + ":" + client + "-secret"))
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\n\r\n%s", path, basic, len(body), body)
}

// issue gets live tokens as clients do: they can't be written past the program.
func issue(s *harness.Server, n int) ([]string, error) {
	out, errs := make([]string, n), make([]error, connections)
	var wg sync.WaitGroup
	for c := range connections {
		wg.Go(func() {
			for i := c; i < n && errs[c] == nil; i += connections {
				var t *harness.Tokens
				if t, errs[c] = s.Service(harness.Apps["demo-service"], "points:read"); errs[c] == nil {
					out[i] = t.Access
				}
			}
		})
	}
	wg.Wait()
	s.HTTP.CloseIdleConnections() // what the server says when it closes them is no answer
	return out, errors.Join(errs...)
}

func growthCases(s *harness.Server, store string, tokens []string) []*benchCase {
	at := server{address: s.Address(), pid: s.Pid()}
	asks := make([][]byte, len(tokens))
	for i, t := range tokens {
		asks[i] = form("/oauth2/introspect", "demo-gateway", "token="+url.QueryEscape(t))
	}
	return []*benchCase{
		{name: "POST /oauth2/token, " + store, server: at, request: tokenRequest()},
		{name: "POST /oauth2/introspect, " + store, server: at, requests: asks},
	}
}

// compareGrowth measures each case with both stores in turns.
func compareGrowth(empty, full []*benchCase, each time.Duration, rounds int) error {
	for round := range rounds {
		for i := range full {
			pair := []*benchCase{empty[i], full[i]}
			if round%2 == 1 {
				slices.Reverse(pair)
			}
			for _, c := range pair {
				m, err := c.measure(each)
				if err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				c.rounds = append(c.rounds, m)
			}
		}
	}
	return reportGrowth(empty, full)
}

func reportGrowth(empty, full []*benchCase) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "case\treq/s\tp50 µs\tp99 µs\tnot 2xx\tp50 ratio\tp99 ratio\t")
	var over []error
	for i := range full {
		p50 := grew(empty[i], full[i], func(m measurement) time.Duration { return m.p50 })
		p99 := grew(empty[i], full[i], func(m measurement) time.Duration { return m.p99 })
		e, f := empty[i].median(), full[i].median()
		fmt.Fprintf(w, "%s\t%.0f\t%d\t%d\t%d\t\t\t\n", empty[i].name, e.perSecond, e.p50.Microseconds(), e.p99.Microseconds(), e.failed)
		fmt.Fprintf(w, "%s\t%.0f\t%d\t%d\t%d\t%.2f\t%.2f\t\n", full[i].name, f.perSecond, f.p50.Microseconds(), f.p99.Microseconds(), f.failed, p50, p99)
		if p50 > mostGrowth {
			over = append(over, fmt.Errorf("%s takes %.2f times as long as with an empty store, at most %.1f is wanted", full[i].name, p50, mostGrowth))
		}
	}
	return errors.Join(append(over, w.Flush())...)
}

// grew is the median of the rounds' ratios.
func grew(empty, full *benchCase, of func(measurement) time.Duration) float64 {
	var ratios []float64
	for i := range full.rounds {
		ratios = append(ratios, float64(of(full.rounds[i]))/float64(of(empty.rounds[i])))
	}
	slices.SortFunc(ratios, cmp.Compare)
	return ratios[len(ratios)/2]
}

var removed = regexp.MustCompile(`(?m)^pointgate_cleanup_rows_total\{rows="access_tokens"\} (\S+)$`)

// cleaned is how many expired tokens the program has removed since its start.
func cleaned(s *harness.Server) (float64, error) {
	r, err := http.Get(s.Ops + "/metrics")
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	m := removed.FindSubmatch(text)
	if err != nil || m == nil {
		return 0, errors.Join(err, errors.New("no metric of the cleanup"))
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// untilCleaning waits for the first pass, which comes after a minute.
func untilCleaning(s *harness.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	for tick := time.Tick(time.Second); ; {
		if n, err := cleaned(s); err != nil || n > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("nothing is removed")
		case <-tick:
		}
	}
}

func reportCleaning(s *harness.Server) {
	n, err := cleaned(s)
	report, _ := json.Marshal(map[string]any{"expired tokens removed meanwhile": n}) // a number and a constant
	fmt.Println(string(report))
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}
