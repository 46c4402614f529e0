package audit

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"sync/atomic"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"github.com/pointgate/pointgate/store"
)

// OTLP is a receiver of OpenTelemetry logs over HTTP (OTLP 1.x, protobuf): one
// LogRecord for each record, whose body is the event.
type OTLP struct {
	*Receiver
	Log     *slog.Logger
	Version string // of the program

	rejected atomic.Int64
}

// NewOTLP is one at a whole address, as of OTEL_EXPORTER_OTLP_LOGS_ENDPOINT:
// mostly https://host:4318/v1/logs.
func NewOTLP(address, tokenFile, agent string) (*OTLP, error) {
	r, err := NewReceiver(address, tokenFile, agent)
	return &OTLP{Receiver: r}, err
}

// Name implements [Sink].
func (*OTLP) Name() string { return "otlp" }

// Rejected counts the records that a receiver took out of chunks that it took
// otherwise ("partial success"): OTLP forbids to send those again.
func (s *OTLP) Rejected() int64 { return s.rejected.Load() }

// Send implements [Sink].
func (s *OTLP) Send(ctx context.Context, records []store.Record) error {
	raw, err := proto.Marshal(s.request(records))
	if err != nil {
		return err
	}
	reply, err := s.post(ctx, "application/x-protobuf", gzipped(func(w io.Writer) { _, _ = w.Write(raw) }))
	if err != nil {
		return err
	}
	var answer collector.ExportLogsServiceResponse
	if proto.Unmarshal(reply, &answer) != nil {
		return nil // it said yes, in words of its own
	}
	if n := answer.GetPartialSuccess().GetRejectedLogRecords(); n > 0 {
		s.rejected.Add(n)
		if s.Log != nil {
			s.Log.Error("a receiver rejected records of a chunk that it took", "sink", s.Name(), "records", n,
				"from_index", records[0].Index, "to_index", records[len(records)-1].Index)
		}
	}
	return nil
}

func (s *OTLP) request(records []store.Record) *collector.ExportLogsServiceRequest {
	out := make([]*logs.LogRecord, len(records))
	for i := range records {
		out[i] = logRecord(&records[i])
	}
	return &collector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{textAttribute("service.name", "pointgate"), textAttribute("service.version", s.Version)}},
		ScopeLogs: []*logs.ScopeLogs{{
			Scope: &common.InstrumentationScope{Name: "github.com/pointgate/pointgate/server/audit", Version: s.Version}, LogRecords: out,
		}},
	}}}
}

// logRecord makes what is asked for most an attribute; all the rest is in the body.
func logRecord(r *store.Record) *logs.LogRecord {
	at := uint64(max(r.At.UnixNano(), 0))
	out := &logs.LogRecord{
		TimeUnixNano: at, ObservedTimeUnixNano: at, EventName: "pointgate." + r.Action,
		SeverityNumber: logs.SeverityNumber_SEVERITY_NUMBER_INFO, SeverityText: "INFO",
		Body: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: string(r.Event())}},
		Attributes: []*common.KeyValue{
			textAttribute("pointgate.decision_id", r.ID), textAttribute("pointgate.tenant", r.Tenant), textAttribute("pointgate.action", r.Action),
			textAttribute("pointgate.code", r.Code), truthAttribute("pointgate.allow", r.Allow), truthAttribute("pointgate.erased", r.Erased),
			numberAttribute("pointgate.index", r.Index), numberAttribute("http.response.status_code", int64(r.Status)),
		},
	}
	switch {
	case r.Status >= 500:
		out.SeverityNumber, out.SeverityText = logs.SeverityNumber_SEVERITY_NUMBER_ERROR, "ERROR"
	case !r.Allow:
		out.SeverityNumber, out.SeverityText = logs.SeverityNumber_SEVERITY_NUMBER_WARN, "WARN"
	}
	var in struct {
		Trace string `json:"trace_id"`
		Span  string `json:"span_id"`
	}
	if json.Unmarshal(r.Body, &in) == nil {
		out.TraceId, out.SpanId = traceBytes(in.Trace, 16), traceBytes(in.Span, 8)
	}
	return out
}

// traceBytes is the bytes of an id of W3C Trace Context; nil if it is none.
func traceBytes(s string, size int) []byte {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != size {
		return nil
	}
	return b
}

func textAttribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func truthAttribute(key string, value bool) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: value}}}
}

func numberAttribute(key string, value int64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}}
}
