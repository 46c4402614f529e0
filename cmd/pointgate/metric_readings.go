package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pointgate/pointgate/server"
	"github.com/pointgate/pointgate/server/audit"
)

// scrapeTimeout bounds what a scrape may wait for one figure.
const scrapeTimeout = 2 * time.Second

// figure is one name whose values are asked for at a scrape.
type figure struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
}

// reading is one value of a figure.
type reading struct {
	of     int // which figure
	value  float64
	labels []string
}

// readings are figures that are read together at each scrape. What can't be read
// is absent then: a stale figure would look well.
type readings struct {
	descs   []*prometheus.Desc
	figures []figure
	read    func(ctx context.Context) ([]reading, error)
}

// Describe implements [prometheus.Collector].
func (r *readings) Describe(to chan<- *prometheus.Desc) {
	for _, d := range r.descs {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (r *readings) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	all, err := r.read(ctx)
	if err != nil {
		return
	}
	for _, one := range all {
		to <- prometheus.MustNewConstMetric(r.descs[one.of], r.figures[one.of].kind, one.value, one.labels...)
	}
}

// read adds figures that read gives, at each scrape, by several scrapes at the
// same time, and until ctx ends.
func (m *metrics) read(read func(ctx context.Context) ([]reading, error), figures ...figure) {
	r := &readings{figures: figures, read: read}
	for _, f := range figures {
		r.descs = append(r.descs, prometheus.NewDesc(f.name, f.help, f.labels, nil))
	}
	m.registry.MustRegister(r)
}

// count adds a gauge that is one number.
func (m *metrics) count(name, help string, n func(ctx context.Context) (int64, error)) {
	m.read(func(ctx context.Context) ([]reading, error) {
		v, err := n(ctx)
		return []reading{{value: float64(v)}}, err
	}, figure{name, help, prometheus.GaugeValue, nil})
}

// checkpointAge adds the time since the newest checkpoint was signed. It is
// called once, before /metrics is served; age is called as [metrics.read] says.
func (m *metrics) checkpointAge(age func(ctx context.Context) (time.Duration, error)) {
	m.read(func(ctx context.Context) ([]reading, error) {
		d, err := age(ctx)
		return []reading{{value: d.Seconds()}}, err
	}, figure{"pointgate_checkpoint_age_seconds", "Time since the newest checkpoint was signed.", prometheus.GaugeValue, nil})
}

// places adds how old the newest checkpoint is that each place took. It is
// called once, before /metrics is served.
func (m *metrics) places(state func() []audit.PlaceState) {
	m.read(func(context.Context) (out []reading, err error) {
		for _, p := range state() {
			if !p.Taken.IsZero() {
				out = append(out, reading{0, time.Since(p.Taken).Seconds(), []string{p.Kind, p.Name}})
			}
		}
		return out, nil
	}, figure{"pointgate_checkpoint_place_age_seconds", "Time since a place took a checkpoint.", prometheus.GaugeValue, []string{"kind", "place"}})
}

// followers adds what goes through the log. It is called once, before /metrics
// is served.
func (m *metrics) followers(f *server.Followers) {
	m.emptying(f.Eraser.Failures, f.Retainer.Failures)
	if len(f.Pushes) > 0 {
		m.pushes(pushState(f))
	}
}

// emptying adds the passes that emptied less of the log than they should.
func (m *metrics) emptying(erasures, retention func() int64) {
	m.read(func(context.Context) ([]reading, error) {
		return []reading{{0, float64(erasures()), nil}, {1, float64(retention()), nil}}, nil
	},
		figure{"pointgate_erasure_failures_total", "Passes over erasures that broke off; they are tried again.", prometheus.CounterValue, nil},
		figure{"pointgate_retention_failures_total", "Passes over old records that broke off or wait; they are tried again.", prometheus.CounterValue, nil})
}

// pushState tells how each push of the log is doing.
func pushState(f *server.Followers) func(context.Context) ([]sinkState, error) {
	return func(ctx context.Context) ([]sinkState, error) {
		all := make([]sinkState, 0, len(f.Pushes))
		for _, p := range f.Pushes {
			s := sinkState{Sink: p.Sink.Name(), Failures: p.Failures()}
			_, s.Stuck = p.Stuck()
			if sink, ok := p.Sink.(interface{ Rejected() int64 }); ok {
				s.Rejected = sink.Rejected()
			}
			var err error
			if s.Records, s.Age, err = p.Lag(ctx); err != nil {
				return nil, err
			}
			all = append(all, s)
		}
		return all, nil
	}
}

// sinkState is how a place that records are pushed to is doing.
type sinkState struct {
	Sink     string        // its name in the configuration
	Records  int64         // that are not delivered yet
	Age      time.Duration // of the oldest of them; 0 where there is none
	Failures int64         // chunks that did not get through, since the start
	Rejected int64         // records that it took out of chunks that it took, since the start
	Stuck    bool          // at a record that the place refuses by itself
}

// pushes adds the state of each place that records are pushed to, each once. It
// is called once, before /metrics is served; state is called as [metrics.read]
// says.
func (m *metrics) pushes(state func(ctx context.Context) ([]sinkState, error)) {
	sink := []string{"sink"}
	m.read(func(ctx context.Context) (out []reading, err error) {
		all, err := state(ctx)
		for _, s := range all {
			stuck, name := 0.0, []string{s.Sink}
			if s.Stuck {
				stuck = 1
			}
			out = append(out, reading{0, float64(s.Records), name}, reading{1, s.Age.Seconds(), name}, reading{2, float64(s.Failures), name}, reading{3, stuck, name},
				reading{4, float64(s.Rejected), name})
		}
		return out, err
	},
		figure{"pointgate_push_lag_records", "Records that are not delivered yet.", prometheus.GaugeValue, sink},
		figure{"pointgate_push_lag_seconds", "Age of the oldest record that is not delivered yet.", prometheus.GaugeValue, sink},
		figure{"pointgate_push_failures_total", "Chunks that did not get through; they are sent again.", prometheus.CounterValue, sink},
		figure{"pointgate_push_stuck", "1 where the place refuses a record by itself, and so gets none behind it.", prometheus.GaugeValue, sink},
		figure{"pointgate_push_rejected_total", "Records that the place rejected out of chunks that it took; they are not sent again.", prometheus.CounterValue, sink})
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}
