package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhereRecordsGo(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("abc\n"), 0o600); err != nil {
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
		"retention-days: want 0":            {RetentionDays: -1},
		"retention-days: want 0 to 100000":  {RetentionDays: 100_001},
		"decision-logs-url: want https":     {DecisionLogsURL: "http://logs.example"},
		"decision-logs-url: open":           {DecisionLogsURL: "https://logs.example", DecisionLogsTokenFile: token + ".none"},
		"needs --decision-logs-url":         {DecisionLogsTokenFile: token},
		"otlp-logs-endpoint: want https://": {OTLPLogsEndpoint: "collector:4318"},
		"needs --otlp-logs-endpoint":        {OTLPLogsTokenFile: token},
	} {
		var e *exit
		if err := c.checkExport(); !errors.As(err, &e) || e.code != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
}
