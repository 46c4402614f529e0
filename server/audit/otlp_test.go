package audit_test

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"

	"github.com/pointgate/pointgate/server/audit"
	"github.com/pointgate/pointgate/store"
	"github.com/pointgate/pointgate/store/storetest"
)

func TestLogsOfOpenTelemetry(t *testing.T) {
	db := storetest.SQLite(t)
	storetest.Write(t, db, func(tx *store.Tx) error {
		allowed, denied, failed := record(tx.Now(), "dec-1", "cus_a", ""), record(tx.Now(), "dec-2", "cus_a", ""), record(tx.Now(), "dec-3", "cus_a", "")
		denied.Allow, denied.Code, denied.Status = false, "not_owner", 403
		failed.Code, failed.Status = "store_unavailable", 503
		for _, r := range []*store.Record{allowed, denied, failed} {
			tx.Record(r)
		}
		return nil
	})
	var got collector.ExportLogsServiceRequest
	var answer collector.ExportLogsServiceResponse
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("User-Agent") != "Pointgate/test" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		raw, err := io.ReadAll(z)
		if err == nil {
			err = proto.Unmarshal(raw, &got)
		}
		if err != nil {
			t.Error(err)
		}
		raw, _ = proto.Marshal(&answer)
		_, _ = w.Write(raw)
	}))
	defer srv.Close()
	answer.PartialSuccess = &collector.ExportLogsPartialSuccess{RejectedLogRecords: 1}
	s, err := audit.NewOTLP(srv.URL+"/v1/logs", "", "Pointgate/test")
	if err != nil {
		t.Fatal(err)
	}
	s.Version, s.Log = "1.2.3", quiet
	p := push(db, "one", s)
	if err := p.Pass(background); err != nil || lag(t, p) != 0 || s.Rejected() != 1 {
		t.Fatalf("%v, lag %d, rejected %d", err, lag(t, p), s.Rejected())
	}
	logs := got.ResourceLogs[0].ScopeLogs[0].LogRecords
	all := events(t, db)
	if len(logs) != 3 {
		t.Fatalf("%d records", len(logs))
	}
	for i, l := range logs {
		if l.Body.GetStringValue() != all[i] || hex.EncodeToString(l.TraceId) != "0af7651916cd43dd8448eb211c80319c" || l.TimeUnixNano == 0 || l.EventName != "pointgate.points.read" {
			t.Errorf("record %d: %v", i, l)
		}
		if want := []string{"INFO", "WARN", "ERROR"}[i]; l.SeverityText != want {
			t.Errorf("record %d is %s, want %s", i, l.SeverityText, want)
		}
	}
	attributes := map[string]any{}
	for _, a := range logs[1].Attributes {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			attributes[a.Key] = v.StringValue
		case *common.AnyValue_BoolValue:
			attributes[a.Key] = v.BoolValue
		case *common.AnyValue_IntValue:
			attributes[a.Key] = v.IntValue
		}
	}
	if diff := cmp.Diff(map[string]any{
		"pointgate.decision_id": "dec-2", "pointgate.tenant": "demo", "pointgate.action": "points.read", "pointgate.code": "not_owner",
		"pointgate.allow": false, "pointgate.erased": false, "pointgate.index": int64(1), "http.response.status_code": int64(403),
	}, attributes); diff != "" {
		t.Error(diff)
	}
}
