package web

import "fmt"

// Problem is an answer that says no, in the form of RFC 9457. Title, status and
// code come from the table below; Detail is for the caller and holds nothing
// that the caller may not know.
type Problem struct {
	Type       string       `json:"type"`
	Title      string       `json:"title"`
	Status     int          `json:"status"`
	Detail     string       `json:"detail,omitempty"`
	Code       string       `json:"code"`
	RequestID  string       `json:"request_id,omitempty"`
	DecisionID string       `json:"decision_id,omitempty"`
	Needed     []string     `json:"needed,omitempty"`
	Provided   []string     `json:"provided,omitempty"`
	Errors     []FieldError `json:"errors,omitempty"`
	// What another login must be for another answer (RFC 9470 §3).
	ACRValues string `json:"acr_values,omitempty"` // one of these classes, separated by spaces
	MaxAge    *int64 `json:"max_age,omitempty"`    // no older than this, in seconds

	cause error
}

// FieldError is one thing that is wrong with one member of the input.
type FieldError struct {
	Field  string `json:"field"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// titles is the list of all codes. A code is never given another meaning.
var titles = map[string]struct {
	status int
	title  string
}{
	"invalid_request":                  {400, "The request can't be understood"},
	"missing_credentials":              {401, "Credentials are needed"},
	"invalid_credentials":              {401, "The credentials are not valid"},
	"expired_credentials":              {401, "The credentials have expired"},
	"revoked_credentials":              {401, "The credentials have been revoked"},
	"insufficient_user_authentication": {401, "A fresher or stronger login is needed"},
	"missing_scope":                    {403, "A scope is missing"},
	"not_owner":                        {403, "This belongs to someone else"},
	"missing_role":                     {403, "A role is missing"},
	"over_daily_limit":                 {403, "The limit for today is reached"},
	"wrong_tenant":                     {403, "The credentials are for another tenant"},
	"denied":                           {403, "Not allowed"},
	"not_found":                        {404, "Not found"},
	"method_not_allowed":               {405, "Method not allowed"},
	"insufficient_points":              {409, "Not enough points"},
	"hold_closed":                      {409, "The hold is closed"},
	"balance_limit":                    {409, "The balance would pass its limit"},
	"conflict":                         {409, "Conflict"},
	"in_progress":                      {409, "The first request with this key is still running"},
	"too_large":                        {413, "The request is too large"},
	"unsupported_media_type":           {415, "Unsupported media type"},
	"validation_failed":                {422, "The input is not valid"},
	"idempotency_mismatch":             {422, "This Idempotency-Key was used with another request"},
	"rate_limited":                     {429, "Too many requests"},
	"internal":                         {500, "Something went wrong"},
	"audit_unavailable":                {503, "The decision could not be recorded"},
	"policy_unavailable":               {503, "The policy could not be evaluated"},
	"store_unavailable":                {503, "The store is not available"},
}

// NewProblem makes the problem of a code. An unknown code is a programming
// error and becomes "internal".
func NewProblem(code, detail string) *Problem {
	t, ok := titles[code]
	if !ok {
		code, detail, t = "internal", "", titles["internal"]
	}
	return &Problem{Type: "about:blank", Title: t.title, Status: t.status, Code: code, Detail: detail}
}

// NewDenial makes the problem of a policy's reason code. A code of the table has
// its status; one that a policy brings itself has the policy's, from 401 to 499,
// else 403.
func NewDenial(code string, status int, detail string) *Problem {
	if _, ok := titles[code]; ok {
		return NewProblem(code, detail)
	}
	if status <= 400 || status > 499 {
		status = 403
	}
	return &Problem{Type: "about:blank", Title: titles["denied"].title, Status: status, Code: code, Detail: detail}
}

// Because keeps the cause for the operator; it is never in the answer.
func (p *Problem) Because(err error) *Problem { p.cause = err; return p }

// Error implements error.
func (p *Problem) Error() string {
	if p.cause != nil {
		return fmt.Sprintf("%s: %v", p.Code, p.cause)
	}
	return p.Code + ": " + p.Detail
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.cause }

// BadRequest is a request that can't be parsed.
func BadRequest(detail string) *Problem { return NewProblem("invalid_request", detail) }

// Unprocessable is input that is parseable but wrong.
func Unprocessable(errs ...FieldError) *Problem {
	p := NewProblem("validation_failed", "See errors for what to change.")
	p.Errors = errs
	return p
}
