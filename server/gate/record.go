package gate

import (
	"encoding/json"
	"time"

	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// event is the record in the shape of OPA's decision log event (EventV1), so
// that tools which read OPA's logs read ours. custom.index and custom.status
// are columns of the store and are put in when it is read.
type event struct {
	Labels      map[string]string         `json:"labels"`
	DecisionID  string                    `json:"decision_id"`
	Bundles     map[string]bundleRevision `json:"bundles,omitempty"`
	Path        string                    `json:"path"`
	Input       json.RawMessage           `json:"input,omitempty"`
	Result      json.RawMessage           `json:"result,omitempty"`
	Error       *eventError               `json:"error,omitempty"`
	RequestedBy string                    `json:"requested_by"`
	Timestamp   string                    `json:"timestamp"`
	Metrics     map[string]int64          `json:"metrics,omitempty"`
	Custom      map[string]any            `json:"custom"`
}

type bundleRevision struct {
	Revision string `json:"revision"`
}

type eventError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// record makes the row of one decision and its answer, and puts the headers on
// the answer that depend on the decision.
func (g *Gate) record(c *Call, a *web.Answer) *store.Record {
	head(c, a)
	d, k := c.Decision, c.Caller
	c.Event.Subject, c.Event.Client = k.ID, k.ClientID
	e := event{
		Labels: g.Labels, DecisionID: c.DecisionID, Path: "pointgate/decision",
		Input: d.Input, Result: d.Result,
		RequestedBy: c.Origin.IP, Timestamp: c.Now.Format(time.RFC3339Nano),
		Custom: map[string]any{"tenant": c.Tenant.ID, "data_digest": d.DataDigest},
	}
	if d.Revision != "" {
		e.Bundles = map[string]bundleRevision{"pointgate": {d.Revision}}
		e.Metrics = map[string]int64{"timer_rego_query_eval_ns": d.EvalNS}
	}
	if c.Event.Err != nil {
		e.Error = &eventError{Code: a.Code, Message: c.Event.Err.Error()}
	}
	code := d.Code
	if a.Code != "ok" {
		code = a.Code
	}
	body, _ := json.Marshal(&e) // maps of strings and numbers, and JSON that we made: can't fail
	return &store.Record{
		ID: c.DecisionID, At: store.At(c.Now), Tenant: c.Tenant.ID, Subject: k.ID, Client: k.ClientID,
		Action: c.Action, Resource: c.Resource.ID, Allow: d.Allow, Code: code, Status: a.Status,
		Request: c.Event.RequestID, Body: body,
	}
}
