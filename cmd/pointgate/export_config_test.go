package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pointgate/pointgate/server/audit"
)

func TestWhereRecordsGo(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := defaultExportConfig()
	if all, err := c.sinks(nil); err != nil || len(all) != 0 || c.retention() != 9600*time.Hour {
		t.Errorf("%v, %v, %v", all, err, c.retention())
	}
	c.DecisionLogsURL, c.DecisionLogsTokenFile, c.OTLPLogsEndpoint = "https://logs.example/opa", token, "http://127.0.0.1:4318/v1/logs"
	if all, err := c.sinks(nil); err != nil || len(all) != 2 || all[0].Name() != "opa" || all[1].Name() != "otlp" {
		t.Errorf("%v, %v", all, err)
	}
	for want, c := range map[string]ExportConfig{
		"retention-days: want 0":                                       {RetentionDays: -1},
		"retention-days: want 0 to 100000":                             {RetentionDays: 100_001},
		"decision-logs-url: want https":                                {DecisionLogsURL: "http://logs.example"},
		"decision-logs-token-file: open":                               {DecisionLogsURL: "https://logs.example", DecisionLogsTokenFile: token + ".none"},
		"otlp-logs-token-file: the first":                              {OTLPLogsEndpoint: "https://logs.example", OTLPLogsTokenFile: empty},
		"decision-logs-url: want the address without /logs at its end": {DecisionLogsURL: "https://logs.example/opa/logs/"},
		"needs --decision-logs-url":                                    {DecisionLogsTokenFile: token},
		"otlp-logs-endpoint: want https://":                            {OTLPLogsEndpoint: "collector:4318"},
		"needs --otlp-logs-endpoint":                                   {OTLPLogsTokenFile: token},
	} {
		var e *exit
		if err := c.checkExport(); !errors.As(err, &e) || e.code != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
}

// TestOTLPWithoutAPath: a collector's address alone is where its logs go.
func TestOTLPWithoutAPath(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:4318":              "http://127.0.0.1:4318/v1/logs",
		"https://collector:4318/":            "https://collector:4318/v1/logs",
		"https://collector:4318?tenant=a":    "https://collector:4318/v1/logs?tenant=a",
		"https://collector/otlp/v1/logs":     "https://collector/otlp/v1/logs",
		"https://collector/insert/opentelem": "https://collector/insert/opentelem",
	} {
		c := ExportConfig{OTLPLogsEndpoint: address}
		all, err := c.sinks(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := all[0].(*audit.OTLP).URL.String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
