package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The bounds of what is kept for a collector that is slow or down. A span that
// finds the queue full is dropped: requests never wait.
const (
	spanQueue       = 2048
	spanBatch       = 512
	spanEvery       = time.Second
	spanTimeout     = 10 * time.Second // for one batch, with its repetitions
	spanLastTimeout = 5 * time.Second  // for what is left at the end
)

// tracing exports spans to an OpenTelemetry collector. The nil one is off: it
// has no goroutine and makes no span.
type tracing struct {
	provider *sdktrace.TracerProvider
	ratio    float64
	trusted  []netip.Prefix
	last     time.Duration // bounds close
}

// newTracing begins to export to c.OTLPEndpoint; nil where there is none. What
// the settings don't say, the library reads from the variables of its own
// specification (OTEL_EXPORTER_OTLP_HEADERS, OTEL_RESOURCE_ATTRIBUTES, …).
func newTracing(c *Config, instance string, m *metrics, log *slog.Logger) (*tracing, error) {
	if c.OTLPEndpoint == "" {
		return nil, nil
	}
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(strings.TrimSuffix(c.OTLPEndpoint, "/")+"/v1/traces"),
		otlptracehttp.WithEncoding(otlptracehttp.EncodingProtobuf),
		otlptracehttp.WithTimeout(spanTimeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Second, MaxElapsedTime: spanTimeout}),
	)
	if err != nil {
		return nil, usage("traces: %v", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "pointgate"),
		attribute.String("service.version", version()),
		attribute.String("service.instance.id", instance),
	), resource.WithFromEnv())
	if err != nil {
		return nil, usage("traces: %v", err)
	}
	t := &tracing{ratio: c.TraceRatio, last: spanLastTimeout}
	if c.TraceTrustProxies {
		t.trusted = c.proxies
	}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), // the step of edge has sampled
		sdktrace.WithSpanProcessor(counted{m}),
		sdktrace.WithBatcher(&spanSink{SpanExporter: exporter, metrics: m, log: log},
			sdktrace.WithMaxQueueSize(spanQueue), sdktrace.WithMaxExportBatchSize(spanBatch),
			sdktrace.WithBatchTimeout(spanEvery), sdktrace.WithExportTimeout(spanTimeout)),
	)
	return t, nil
}

// tracer makes spans; nil where tracing is off.
func (t *tracing) tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer("github.com/pointgate/pointgate")
}

// sampling is how much is traced, and whose word on it counts.
func (t *tracing) sampling() (ratio float64, random func() float64, trusted []netip.Prefix) {
	if t == nil {
		return 0, nil, nil
	}
	return t.ratio, rand.Float64, t.trusted
}

// close sends what is left, for some seconds at most. What a collector that is
// down does not take is lost, which is no error of ours.
func (t *tracing) close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), t.last)
	defer cancel()
	_ = t.provider.Shutdown(ctx)
}

// spanSink counts what the collector takes, and logs when that changes rather
// than for each batch.
type spanSink struct {
	sdktrace.SpanExporter
	metrics *metrics
	log     *slog.Logger
	failing atomic.Bool
}

// ExportSpans implements [sdktrace.SpanExporter]. It keeps its error: the
// library would write it past our log.
func (s *spanSink) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := s.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		s.metrics.spans.failed.Add(float64(len(spans)))
		if !s.failing.Swap(true) {
			s.log.Warn("traces are not delivered", "error", err)
		}
		return nil
	}
	s.metrics.spans.exported.Add(float64(len(spans)))
	if s.failing.Swap(false) {
		s.log.Info("traces are delivered again")
	}
	return nil
}

// counted counts the spans that end, so that those which find the queue full
// can be told.
type counted struct{ metrics *metrics }

// OnStart implements [sdktrace.SpanProcessor].
func (counted) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements [sdktrace.SpanProcessor].
func (k counted) OnEnd(sdktrace.ReadOnlySpan) { k.metrics.spans.ended.Inc() }

// Shutdown implements [sdktrace.SpanProcessor].
func (counted) Shutdown(context.Context) error { return nil }

// ForceFlush implements [sdktrace.SpanProcessor].
func (counted) ForceFlush(context.Context) error { return nil }
