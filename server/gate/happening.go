package gate

import (
	"encoding/json"
	"time"

	"github.com/pointgate/pointgate/store"
)

// Happening is something that the log keeps though no policy was asked: a
// refusal in front of the gate, a token that was used twice.
type Happening struct {
	ID       string
	At       time.Time
	Tenant   string
	Action   string // noun.verb
	Code     string
	Status   int // of the answer
	Subject  string
	Client   string
	Resource string
	IP       string
	Request  string // its id
	Labels   map[string]string
	Custom   map[string]any // more that belongs to it; custom.tenant is added
}

// Record has the shape of a decision's record, without an input, and with a
// path of its own: pointgate/ and the action.
func (h *Happening) Record() *store.Record {
	custom := map[string]any{"tenant": h.Tenant, "status": h.Status, "code": h.Code}
	for k, v := range h.Custom {
		custom[k] = v
	}
	result, _ := json.Marshal(map[string]any{"allow": false, "status": h.Status, "code": h.Code}) // plain values, here and below: can't fail
	body, _ := json.Marshal(&event{
		Labels: h.Labels, DecisionID: h.ID, Path: "pointgate/" + h.Action, Result: result,
		RequestedBy: h.IP, Timestamp: h.At.UTC().Format(time.RFC3339Nano), Custom: custom,
	})
	return &store.Record{
		ID: h.ID, At: store.At(h.At), Tenant: h.Tenant, Subject: h.Subject, Client: h.Client, Action: h.Action,
		Resource: h.Resource, Code: h.Code, Status: h.Status, Request: h.Request, Body: body,
	}
}
