package policies

import "encoding/json"

// Decision is the answer to one Request. It is immutable.
type Decision struct {
	Allow       bool
	Status      int            // of the HTTP answer; 200 when allowed, 503 if there is no answer
	Code        string         // "ok" when allowed, else a stable reason code
	Reasons     []Reason       // on a denial, the deciding one first
	Needed      []string       // scopes, any of which the action accepts; on each answer
	Obligations map[string]any // by name: int64, string, bool, or a map of these; on a denial only StepUp

	Input      json.RawMessage // what was asked, as the rules saw it but for what is masked
	Erased     []string        // JSON pointers to what the record leaves out of Input, and /requested_by with it; sorted
	Masked     []string        // JSON pointers to what has a pseudonym there, likewise
	Result     json.RawMessage // what they answered, whole; nil if there was no answer
	Revision   string          // digest of the modules and data that decided: sha256:…
	DataDigest string          // digest of the data alone
	EvalNS     int64
}

// StepUp is the obligation that a denial may have: {"max_age": seconds,
// "acr_values": "…"}, what the login must be for another answer (RFC 9470).
const StepUp = "step_up"

// Reason says why, for a person.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Rule    string `json:"rule"`
}
