package main

import (
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/spf13/pflag"

	"github.com/pointgate/pointgate/server/audit"
)

// ExportConfig is where the records go, and how long they have their content. It
// is exported because the YAML decoder fills no embedded type that isn't.
type ExportConfig struct {
	// RetentionDays is how many days a record keeps its content. Its entry in the
	// tree stays. 0: for ever. Default 400.
	RetentionDays int64 `yaml:"retention_days"`
	// DecisionLogsURL is the base of a log service of the Open Policy Agent; the
	// records of all tenants are posted to /logs below it. https, or http on this
	// machine. Default none.
	DecisionLogsURL string `yaml:"decision_logs_url"`
	// DecisionLogsTokenFile has the bearer token for it in its first line. It is
	// read for each request. Default none.
	DecisionLogsTokenFile string `yaml:"decision_logs_token_file"`
	// OTLPLogsEndpoint is the URL of a receiver of OpenTelemetry logs, such as
	// https://collector:4318/v1/logs; the records of all tenants are posted there.
	// One without a path gets /v1/logs. https, or http on this machine. Default
	// none.
	OTLPLogsEndpoint string `yaml:"otlp_logs_endpoint"`
	// OTLPLogsTokenFile has the bearer token for it in its first line. It is read
	// for each request. Default none.
	OTLPLogsTokenFile string `yaml:"otlp_logs_token_file"`
}

func defaultExportConfig() ExportConfig { return ExportConfig{RetentionDays: 400} }

func bindExportFlags(fs *pflag.FlagSet, c *ExportConfig) {
	fs.Int64Var(&c.RetentionDays, "retention-days", c.RetentionDays, "days for which a record keeps its content; 0: for ever")
	fs.StringVar(&c.DecisionLogsURL, "decision-logs-url", c.DecisionLogsURL, "OPA log service that the records are pushed to")
	fs.StringVar(&c.DecisionLogsTokenFile, "decision-logs-token-file", c.DecisionLogsTokenFile, "file of its bearer token")
	fs.StringVar(&c.OTLPLogsEndpoint, "otlp-logs-endpoint", c.OTLPLogsEndpoint, "receiver of OpenTelemetry logs that the records are pushed to")
	fs.StringVar(&c.OTLPLogsTokenFile, "otlp-logs-token-file", c.OTLPLogsTokenFile, "file of its bearer token")
}

// longestRetention keeps the days within what a time.Duration holds.
const longestRetention = 100_000

func (c *ExportConfig) checkExport() error {
	if c.RetentionDays < 0 || c.RetentionDays > longestRetention {
		return usage("retention-days: want 0 to %d", longestRetention)
	}
	_, err := c.sinks(nil)
	return err
}

func (c *ExportConfig) retention() time.Duration {
	return time.Duration(c.RetentionDays) * 24 * time.Hour
}

// sinks are the receivers that are configured.
func (c *ExportConfig) sinks(log *slog.Logger) (all []audit.Sink, err error) {
	agent := "Pointgate/" + version()
	switch {
	case c.DecisionLogsURL != "":
		s, err := audit.NewDecisionLogs(c.DecisionLogsURL, c.DecisionLogsTokenFile, agent)
		if err != nil {
			return nil, refusedReceiver("decision-logs-url", "decision-logs-token-file", err)
		}
		all = append(all, s)
	case c.DecisionLogsTokenFile != "":
		return nil, usage("--decision-logs-token-file needs --decision-logs-url")
	}
	switch {
	case c.OTLPLogsEndpoint != "":
		s, err := audit.NewOTLP(otlpAddress(c.OTLPLogsEndpoint), c.OTLPLogsTokenFile, agent)
		if err != nil {
			return nil, refusedReceiver("otlp-logs-endpoint", "otlp-logs-token-file", err)
		}
		s.Version, s.Log = version(), log
		all = append(all, s)
	case c.OTLPLogsTokenFile != "":
		return nil, usage("--otlp-logs-token-file needs --otlp-logs-endpoint")
	}
	return all, nil
}

// refusedReceiver names the key that is wrong: that of the address, or that of
// the token file.
func refusedReceiver(address, tokenFile string, err error) error {
	if e := (*audit.TokenError)(nil); errors.As(err, &e) {
		return usage("%s: %v", tokenFile, err)
	}
	return usage("%s: %v", address, err)
}

// otlpAddress adds the path that collectors take logs at (OTLP 1.x, section
// "OTLP/HTTP Request") where an address has none.
func otlpAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return address // whole, or refused
	}
	u.Path = "/v1/logs"
	return u.String()
}
