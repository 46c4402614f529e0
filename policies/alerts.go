package policies

import (
	"context"
	"fmt"
	"time"

	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/rego"
)

// defaultAlertTimeout is how long rules may work on a window of full size.
const defaultAlertTimeout = 2 * time.Second

// Window is what the log holds of one tenant's last minutes, as alert rules see
// it: see rego/alerts/input.schema.json. Its strings must not alias reused
// buffers.
type Window struct {
	Now       time.Time     // its end
	Length    time.Duration // that Groups and Totals cover
	Tenant    string
	Groups    []Group
	Dropped   Counts // records that are in no group, for want of room
	Totals    Counts // all records, those too that are in no group
	Decisions []string
	Before    Counts        // all records of the time before
	Known     time.Duration // how much of that time was seen
}

// Counts are numbers of records.
type Counts struct{ Allowed, Denied int64 }

// Group is records that are alike, counted.
type Group struct {
	Action, Code                           string
	Allow                                  bool
	Subject, Client, Resource, Related, IP string
	Folded                                 bool // the rest of one caller's denials: what differs between them is empty
	Count                                  int64
	First, Last                            time.Time
	Decisions                              []string // ids of the newest few, oldest first
}

// Raised is one alert that a rule raises.
type Raised struct {
	Rule      string // the name of its folder
	Key       string // tells it from other alerts of the rule
	Severity  string // low, medium, high or critical
	Title     string
	Detail    string
	Decisions []string // ids that show it, at least one
}

// Alerts asks the rules under data.pointgate.alerts what is worth a look in a
// window. The order of the answer is that of rules and keys. It is not asked on
// behalf of a request; after an error there is no answer at all, and the caller
// says so. A policy without such rules raises nothing.
func (e *Engine) Alerts(ctx context.Context, w *Window) ([]Raised, error) {
	rules := e.current.Load().alerts
	if rules == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.AlertTimeout)
	defer cancel()
	v, err := evaluateOnce(ctx, rules.query, rego.EvalParsedInput(w.value()), rego.EvalMetrics(metrics.NoOp()),
		rego.EvalExternalCancel(newDeadline(ctx, time.Now(), e.AlertTimeout)))
	if err != nil {
		return nil, fmt.Errorf("policies: alerts: %w", err)
	}
	raised, err := readRaised(v)
	if err != nil {
		return nil, fmt.Errorf("policies: alerts: the result is malformed: %w", err)
	}
	return raised, nil
}

// AlertRules are the names of the rules that can raise alerts, sorted.
func (e *Engine) AlertRules() []string {
	if rules := e.current.Load().alerts; rules != nil {
		return rules.names
	}
	return nil
}
