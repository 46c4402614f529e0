package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// metrics are what /metrics says. docs/metrics.md is their reference. Labels are
// bounded: no path, no id and no word of a caller's becomes one.
type metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	inFlight   prometheus.Gauge
	decisions  *prometheus.CounterVec
	evaluation *prometheus.HistogramVec
	parts      *prometheus.HistogramVec
	commits    commitMetrics
	turns      *turns
	spans      spanMetrics
	alerts     alertMetrics
	replays    prometheus.Counter
	cleaned    *prometheus.CounterVec
	mails      *prometheus.CounterVec
	logouts    *prometheus.CounterVec
	search     searchMetrics
}

type commitMetrics struct {
	seconds         prometheus.Histogram
	writes, records prometheus.Histogram
	failures        prometheus.Counter
}

type alertMetrics struct {
	raised, failed *prometheus.CounterVec
	behind         prometheus.Gauge
}

type searchMetrics struct {
	indexed  atomic.Int64 // records that the index has; -1: it has not said
	failures prometheus.Counter
}

type spanMetrics struct{ ended, exported, failed prometheus.Counter }

// The buckets, in seconds: of what rules do (their time is 100 ms), of a request
// or a commit, and of sizes up to the largest group of writes.
var (
	evaluationBuckets = []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1}
	requestBuckets    = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}
	commitBuckets     = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15}
	denialBuckets     = []float64{.0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	sizeBuckets       = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}
)

func newMetrics() *metrics {
	m := &metrics{
		registry:  prometheus.NewRegistry(),
		requests:  counters("pointgate_requests_total", "Answered requests. action is empty where none was asked for, code where the answer is no problem.", "action", "status", "code", "route"),
		seconds:   histograms("pointgate_request_seconds", "Time from the head of a request to its answer.", requestBuckets, "action", "route"),
		inFlight:  gauge("pointgate_requests_in_flight", "Requests that are being worked on."),
		decisions: counters("pointgate_decisions_total", "Recorded decisions, by what the policy said and the code of the record.", "action", "allow", "code"),
		evaluation: histograms("pointgate_evaluation_seconds", "Time that the rules worked on a decision.",
			evaluationBuckets, "action"),
		parts: histograms("pointgate_gate_seconds", "Time of the gate's parts: reading facts, deciding with making the input, preparing, and waiting until the record is durable.",
			requestBuckets, "part"),
		commits: commitMetrics{
			seconds:  histogram("pointgate_commit_seconds", "Time of a group's transaction, with its fsync.", commitBuckets),
			writes:   histogram("pointgate_commit_writes", "Writes in a group.", sizeBuckets),
			records:  histogram("pointgate_commit_records", "Records in a group: the leaves that it added to the tree.", sizeBuckets),
			failures: counter("pointgate_commit_failures_total", "Groups that could not be committed; their requests were answered with 503."),
		},
		turns: newTurns(time.Now),
		spans: spanMetrics{
			ended:    counter("pointgate_spans_ended_total", "Spans of sampled requests."),
			exported: counter("pointgate_spans_exported_total", "Spans that the collector took."),
			failed:   counter("pointgate_spans_failed_total", "Spans that the collector did not take in time; they are lost."),
		},
		alerts: alertMetrics{
			raised: counters("pointgate_alerts_raised_total", "Alerts that were raised since the start.", "rule", "severity"),
			failed: counters("pointgate_alert_failures_total", "What went wrong in looking for alerts; it is tried again, or left out.", "what"),
			behind: gauge("pointgate_alerts_lag_records", "Records that the rules for alerts have not seen yet."),
		},
		cleaned: counters("pointgate_cleanup_rows_total", "Expired rows that were removed, by what they were.", "rows"),
		replays: counter("pointgate_refresh_replays_total", "Used refresh tokens that got their answer once more, within the grace of their client."),
		logouts: counters("pointgate_logout_tokens_total", "Attempts to tell a client that a session ended, by what came of it.", "result"),
		mails:   counters("pointgate_mails_total", "Attempts to send a message, by what came of it.", "result"),
		search:  searchMetrics{failures: counter("pointgate_search_failures_total", "Failures of the search index; lists read the log then.")},
	}
	for _, result := range []string{"sent", "failed", "given_up"} {
		m.mails.WithLabelValues(result)
	}
	for _, rows := range store.ExpiredRows() {
		m.cleaned.WithLabelValues(rows.Rows)
	}
	for _, result := range []string{"delivered", "failed", "given_up"} {
		m.logouts.WithLabelValues(result)
	}
	m.search.indexed.Store(-1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.seconds, m.inFlight, m.decisions, m.evaluation, m.parts,
		m.commits.seconds, m.commits.writes, m.commits.records, m.commits.failures,
		m.turns.took, m.turns.oldest, m.turns.waiting, m.spans.ended, m.spans.exported, m.spans.failed,
		m.alerts.raised, m.alerts.failed, m.alerts.behind, m.replays, m.cleaned, m.mails, m.logouts, m.search.failures)
	build := gauges("pointgate_build_info", "1, with the version of the program.", "version")
	build.WithLabelValues(version()).Set(1)
	m.registry.MustRegister(build)
	return m
}

// watch makes a server tell its figures.
func (m *metrics) watch(c *server.Config) {
	c.Begin, c.Done, c.Decided = m.begin, m.done, m.decided
	c.Alerts.Raised, c.Alerts.Failed, c.Alerts.Behind = m.alertRaised, m.alertFailed, m.alertsBehind
	c.Cleaned = func(rows string, n int64) { m.cleaned.WithLabelValues(rows).Add(float64(n)) }
	c.Mailed = func(result string) { m.mails.WithLabelValues(result).Inc() }
	c.LoggedOut = func(result string) { m.logouts.WithLabelValues(result).Inc() }
}

// begin is told of each request before its credentials are looked at.
func (m *metrics) begin(e *web.Event) {
	m.inFlight.Inc()
	e.Turn = m.turns.begin()
}

// done counts one answered request. Only those that began are in flight: what is
// no HTTP is answered without.
func (m *metrics) done(e *web.Event, took time.Duration) {
	if e.Turn != 0 {
		m.inFlight.Dec()
		m.turns.end(e.Turn)
	}
	if revokes(e) {
		m.turns.revoked()
	}
	action, code, route := known(actions, e.Action), known(codes, e.Code), e.Route
	if route == "" {
		route = other
	}
	m.requests.WithLabelValues(action, strconv.Itoa(e.Status), code, route).Inc()
	m.seconds.WithLabelValues(action, route).Observe(took.Seconds())
	for _, p := range e.Parts() {
		m.parts.WithLabelValues(p.Name).Observe(p.Ended.Sub(p.Began).Seconds())
	}
}

// decided counts a decision whose record is durable: of a request, or of an act
// of the program itself. evaluated is how long the rules worked on it.
func (m *metrics) decided(r *store.Record, evaluated time.Duration) {
	action := known(actions, r.Action)
	m.decisions.WithLabelValues(action, strconv.FormatBool(r.Allow), known(codes, r.Code)).Inc()
	m.evaluation.WithLabelValues(action).Observe(evaluated.Seconds())
}

// slowIndex is how many records make the index worth a line in the log.
const slowIndex = 100_000

// observer is what the store tells its figures to; see [store.Options]. What
// goes wrong behind the commits, or takes long, is for the log, too.
func (m *metrics) observer(log *slog.Logger) *store.Observer {
	return &store.Observer{
		Commit: func(took time.Duration, writes, records int, err error) {
			if err != nil {
				m.commits.failures.Inc()
				return
			}
			m.commits.seconds.Observe(took.Seconds())
			m.commits.writes.Observe(float64(writes))
			m.commits.records.Observe(float64(records))
		},
		Index: func(indexed, size int64, err error) {
			if err != nil {
				m.search.failures.Inc()
				log.Warn("the search index failed; lists read the log", "error", err)
				return
			}
			if size-indexed > slowIndex {
				log.Info("the search index is being made", "indexed", indexed, "of", size)
			}
			m.search.indexed.Store(indexed)
		},
	}
}

// store adds what the database is asked for at each scrape.
func (m *metrics) store(db *store.DB) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "pointgate_write_queue_depth", Help: "Writes that wait for a group; at 4096 the next is refused with 503.",
	}, func() float64 { return float64(db.QueueDepth()) }))
	m.count("pointgate_tree_size", "Records in the log: the leaves of the tree.", db.LogSize)
	m.count("pointgate_search_lag_records", "Records that the search index does not have yet.", func(ctx context.Context) (int64, error) {
		indexed := m.search.indexed.Load()
		size, err := db.LogSize(ctx)
		if err == nil && indexed < 0 {
			err = errUnknown
		}
		return max(0, size-indexed), err
	})
	m.count("pointgate_mail_queue_depth", "Messages that wait to be sent.", func(ctx context.Context) (int64, error) { return store.WaitingMails(ctx, db) })
	m.read(func(ctx context.Context) (out []reading, err error) {
		for _, rows := range store.ExpiredRows() {
			behind, err := rows.Behind(ctx, db, db.Now())
			if err != nil {
				return nil, err
			}
			out = append(out, reading{0, behind.Seconds(), []string{rows.Rows}})
		}
		return out, nil
	}, figure{"pointgate_cleanup_behind_seconds", "For how long the oldest expired row might have been removed.", prometheus.GaugeValue, []string{"rows"}})
	m.read(func(ctx context.Context) (out []reading, err error) {
		open, err := db.AlertCounts(ctx)
		for _, a := range open {
			out = append(out, reading{0, float64(a.Open), []string{a.Rule, a.Severity}})
		}
		return out, err
	}, figure{"pointgate_alerts_open", "Alerts that nobody has acknowledged or closed.", prometheus.GaugeValue, []string{"rule", "severity"}})
}

var errUnknown = errors.New("not known yet")

// alertRaised counts a new alert. rule is the name of a rule of the policy, never
// what a caller sent.
func (m *metrics) alertRaised(rule, severity string) {
	m.alerts.raised.WithLabelValues(rule, severity).Inc()
}

// alertFailed counts what went wrong in looking for alerts.
func (m *metrics) alertFailed(what string) { m.alerts.failed.WithLabelValues(what).Inc() }

// alertsBehind says how many records have not been looked at yet.
func (m *metrics) alertsBehind(records int64) { m.alerts.behind.Set(float64(records)) }
