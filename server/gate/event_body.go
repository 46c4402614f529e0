package gate

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/pointgate/pointgate/server/web"
)

// eventResult is what rules would have answered.
type eventResult struct {
	Allow  bool   `json:"allow"`
	Status int    `json:"status"`
	Code   string `json:"code"`
}

// eventInput has the members of a decision's input that an event knows.
type eventInput struct {
	Subject struct {
		Type string `json:"type"`
		ID   string `json:"id,omitempty"`
	} `json:"subject"`
	Action struct {
		Name string `json:"name"`
	} `json:"action"`
	Resource struct {
		Type string `json:"type,omitempty"`
		ID   string `json:"id,omitempty"`
	} `json:"resource"`
	Context struct {
		Authentication *eventProof `json:"authentication,omitempty"`
		Client         struct {
			ID string `json:"id,omitempty"`
		} `json:"client"`
		Request struct {
			ID     string `json:"id,omitempty"`
			Method string `json:"method,omitempty"`
			Path   string `json:"path,omitempty"`
			IP     string `json:"ip,omitempty"`
		} `json:"request"`
		Tenant struct {
			ID string `json:"id,omitempty"`
		} `json:"tenant"`
	} `json:"context"`
}

type eventProof struct {
	Method string     `json:"method"`
	Status web.Status `json:"status"`
}

// customBase is what every event has in custom, beside the members of its kind.
type customBase struct {
	Tenant  string `json:"tenant"`
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Grant   string `json:"grant,omitempty"`
	Related string `json:"related,omitempty"`
}

// valid is a text as JSON can hold it, in the very way that the input of a
// decision has it: what stands beside a body must be what the body says.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// veil is the one place where values of an event pass the mask.
type veil struct {
	mask           Mask
	masked, erased []string
}

func (v *veil) value(pointer, value string) string {
	value = valid(value)
	if v.mask == nil || value == "" {
		return value
	}
	kept, masked := v.mask.Value(pointer, value)
	switch {
	case !masked:
		return value
	case kept == "":
		v.erased = append(v.erased, pointer)
	default:
		v.masked = append(v.masked, pointer)
	}
	return kept
}

// maskable are the fields that a message could quote.
var maskable = []string{
	"/input/subject/id", "/input/resource/id", "/input/resource/properties/owner", "/input/context/client/id", "/input/context/actor/id",
	"/input/context/request/id", "/input/context/request/path", "/input/context/request/ip", "/custom/related",
}

// message is what an error says, unless anything is masked: it may quote any
// value, of this request or of another, and can't be searched for them.
func (v *veil) message(err error) string {
	if v.mask != nil {
		for _, pointer := range maskable {
			if _, masked := v.mask.Value(pointer, "any"); masked {
				v.erased = append(v.erased, "/error/message")
				return ""
			}
		}
	}
	return web.Redact(err.Error())
}

// lists are the pointers of what was left out and of what was replaced, sorted,
// each once.
func (v *veil) lists() (erased, masked []string) {
	sorted := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return sorted(v.erased), sorted(v.masked)
}

func (v *veil) input(ev *Event, action string) *eventInput {
	in, who := new(eventInput), ev.Subject
	if who.Type == "" {
		who.Type = "anonymous"
	}
	in.Subject.Type, in.Subject.ID = who.Type, v.value("/input/subject/id", who.ID)
	in.Action.Name = action
	in.Resource.Type, in.Resource.ID = ev.Resource.Type, v.value("/input/resource/id", ev.Resource.ID)
	c, r := &in.Context, ev.Request
	if ev.Proof != (Proof{}) {
		c.Authentication = &eventProof{ev.Proof.Method, ev.Proof.Status}
	}
	c.Client.ID = v.value("/input/context/client/id", ev.Client)
	c.Request.ID, c.Request.Method = v.value("/input/context/request/id", r.RequestID), r.Method
	c.Request.Path = v.value("/input/context/request/path", r.Path)
	c.Request.IP = v.value("/input/context/request/ip", r.IP)
	c.Tenant.ID = ev.Tenant
	return in
}

// custom is the members of the kind and those of every event; of one name, the
// latter.
func (v *veil) custom(what What, base customBase) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, part := range []any{what, base} {
		raw, _ := json.Marshal(part) // plain values, here and below: can't fail
		_ = json.Unmarshal(raw, &out)
	}
	if v.mask == nil {
		return out
	}
	for name, raw := range out {
		var text string
		if name == "tenant" || name == "code" || name == "grant" || name == "related" || json.Unmarshal(raw, &text) != nil || text == "" {
			continue // these have passed, or must stay as they are
		}
		if kept := v.value("/custom/"+name, text); kept == "" {
			delete(out, name)
		} else {
			out[name], _ = json.Marshal(kept)
		}
	}
	return out
}
