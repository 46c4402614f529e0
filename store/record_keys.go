package store

import (
	"encoding/json"
	"slices"
	"time"
)

// bodyKeys is what a body says of the members that stand beside it.
type bodyKeys struct {
	ID    string    `json:"decision_id"`
	At    time.Time `json:"timestamp"`
	IP    string    `json:"requested_by"`
	Input *struct {
		Subject  struct{ ID string }
		Action   struct{ Name string }
		Resource struct{ ID string }
		Context  struct {
			Client  struct{ ID string }
			Request struct{ ID string }
		}
	}
	Result struct {
		Allow   bool
		Reasons []struct{ Rule string }
	}
	Custom struct {
		Tenant, Code, Grant, Related string
		Status                       int
	}
}

// differs names the first member of a record that its body does not say, or "".
// A body without an input says nothing of who asked for what.
func differs(r *Record) string {
	var e bodyKeys
	if err := json.Unmarshal(r.Body, &e); err != nil {
		return "body"
	}
	says := []struct{ name, kept, body string }{
		{"id", r.ID, e.ID}, {"time", r.At.Time.String(), At(e.At).Time.String()}, {"tenant", r.Tenant, e.Custom.Tenant},
		{"code", r.Code, e.Custom.Code}, {"grant", r.Grant, e.Custom.Grant}, {"related", r.Related, e.Custom.Related}, {"ip", r.IP, e.IP},
	}
	if in := e.Input; in != nil {
		says = append(says, []struct{ name, kept, body string }{
			{"subject", r.Subject, in.Subject.ID}, {"action", r.Action, in.Action.Name}, {"resource", r.Resource, in.Resource.ID},
			{"client", r.Client, in.Context.Client.ID}, {"request", r.Request, in.Context.Request.ID},
		}...)
	}
	for _, s := range says {
		if s.kept != s.body {
			return s.name
		}
	}
	switch {
	case r.Status != e.Custom.Status:
		return "status"
	case r.Allow != e.Result.Allow:
		return "allow"
	case !slices.Equal(r.Rules, e.rules()):
		return "rules"
	}
	return ""
}

// rules are those that denied, each once.
func (e *bodyKeys) rules() (rules Words) {
	for _, reason := range e.Result.Reasons {
		if !rules.Has(reason.Rule) {
			rules = append(rules, reason.Rule)
		}
	}
	return rules
}
