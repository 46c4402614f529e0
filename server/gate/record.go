package gate

import (
	"encoding/json"
	"time"

	"github.com/pointgate/pointgate/policies"
	"github.com/pointgate/pointgate/server/web"
	"github.com/pointgate/pointgate/store"
)

// body is what a record says, of a decision and of an event alike: the shape of
// OPA's decision log event (EventV1), so that tools which read OPA's logs read
// ours. Custom stays the last member: custom.index and custom.nonce are put in
// behind it when a record is read.
type body struct {
	Labels      map[string]string         `json:"labels"`
	DecisionID  string                    `json:"decision_id"`
	Bundles     map[string]bundleRevision `json:"bundles,omitempty"`
	Path        string                    `json:"path"`
	Input       any                       `json:"input,omitempty"`
	Result      any                       `json:"result,omitempty"`
	Error       *eventError               `json:"error,omitempty"`
	RequestedBy string                    `json:"requested_by"`
	Timestamp   string                    `json:"timestamp"`
	TraceID     string                    `json:"trace_id,omitempty"`
	SpanID      string                    `json:"span_id,omitempty"`
	Erased      []string                  `json:"erased,omitempty"`
	Masked      []string                  `json:"masked,omitempty"`
	Metrics     map[string]int64          `json:"metrics,omitempty"`
	Custom      any                       `json:"custom"`
}

type bundleRevision struct {
	Revision string `json:"revision"`
}

type eventError struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

// record makes the row of one decision and its answer, and puts the headers on
// the answer that depend on the decision.
func (g *Gate) record(c *Call, a *web.Answer) *store.Record {
	head(c, a)
	d, k, v := c.Decision, c.Caller, veil{mask: g.Mask, erased: c.Decision.Erased, masked: c.Decision.Masked}
	c.Event.Subject, c.Event.Client = k.ID, k.ClientID
	e := body{
		Labels: g.Labels, DecisionID: c.DecisionID, Path: "pointgate/decision",
		Input: present(d.Input), Result: present(d.Result),
		RequestedBy: v.value("/requested_by", c.Origin.IP), Timestamp: c.Now.Format(time.RFC3339Nano),
		TraceID: c.Event.TraceID, SpanID: c.Event.SpanID,
	}
	if d.Revision != "" {
		e.Bundles = map[string]bundleRevision{"pointgate": {d.Revision}}
		e.Metrics = map[string]int64{"timer_rego_query_eval_ns": d.EvalNS}
	}
	if c.Event.Err != nil {
		e.Error = &eventError{Code: a.Code, Message: v.message(c.Event.Err)}
	}
	code := valid(d.Code)
	if a.Code != "ok" {
		code = a.Code
	}
	custom := map[string]any{"tenant": c.Tenant.ID, "status": a.Status, "code": code, "data_digest": d.DataDigest}
	r := &store.Record{
		ID: c.DecisionID, At: store.At(c.Now), Tenant: c.Tenant.ID, Action: c.Action, Allow: d.Allow, Code: code, Status: a.Status,
		Subject: v.value("/input/subject/id", k.ID), Client: v.value("/input/context/client/id", k.ClientID),
		Resource: v.value("/input/resource/id", c.Resource.ID), Related: v.value("/custom/related", c.Related),
		Request: v.value("/input/context/request/id", c.Event.RequestID), Grant: valid(k.GrantID), IP: e.RequestedBy, Rules: rulesOf(d),
	}
	if r.Grant != "" {
		custom["grant"] = r.Grant
	}
	if r.Related != "" {
		custom["related"] = r.Related
	}
	if len(c.Lines) > 0 && a.Status < 300 { // else they were undone
		custom["ledger"] = c.Lines
	}
	e.Custom = custom
	e.Erased, e.Masked = v.lists()
	r.Body, _ = json.Marshal(&e) // maps of strings and numbers, and JSON that we made: can't fail
	return r
}

// present is JSON that is there, or nothing.
func present(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return raw
}

// rulesOf are the rules that denied.
func rulesOf(d *policies.Decision) (rules store.Words) {
	for _, reason := range d.Reasons {
		if !rules.Has(reason.Rule) {
			rules = append(rules, reason.Rule)
		}
	}
	return rules
}
