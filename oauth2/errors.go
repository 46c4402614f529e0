package oauth2

import (
	"errors"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

// Error is a refusal in the words of the RFCs. Code, Status and Description may
// be told to anyone: they come from the table below and from constants, never
// from a request, the database or fosite.
type Error struct {
	Code        string
	Status      int
	Description string
	// Redirect is where the browser takes the error to, complete with error,
	// state and iss. Empty: the client or its address is not known for sure, so
	// the error is shown as a page (RFC 6749 §4.1.2.1).
	Redirect string
	// Kept says that what was written before the refusal must stay: the revocation
	// that it is about.
	Kept  bool
	cause error
}

// Error implements error, for the operator.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.cause.Error()
	}
	return e.Code + ": " + e.Description
}

// Unwrap gives the cause, which no caller is told.
func (e *Error) Unwrap() error { return e.cause }

// errorTable holds all codes that leave this server.
var errorTable = map[string]struct {
	status      int
	description string
}{
	"invalid_request":            {400, "A parameter is missing, not valid, or given twice."},
	"invalid_client":             {401, "The client could not be authenticated."},
	"invalid_grant":              {400, "The code or refresh token is not valid, has expired, was used or revoked, or is not for this client."},
	"unauthorized_client":        {400, "This client may not do this."},
	"unsupported_grant_type":     {400, "The grant_type must be one of those in the metadata of this server."},
	"unsupported_response_type":  {400, "The response_type must be code."},
	"unsupported_token_type":     {400, "Tokens of this kind can not be revoked."},
	"invalid_scope":              {400, "A scope is unknown, or this client may not have it."},
	"invalid_target":             {400, "The resource is not one of this server."},
	"invalid_token":              {401, "The token is not good for this request."},
	"invalid_dpop_proof":         {400, "The DPoP proof is not valid for this request."},
	"use_dpop_nonce":             {400, "The DPoP proof needs the nonce of the DPoP-Nonce header."},
	"invalid_redirect_uri":       {400, SelfRedirectRule},
	"invalid_client_metadata":    {400, "The metadata of the client is not valid."},
	"access_denied":              {403, "The request was denied."},
	"login_required":             {400, "The person has to log in, and no page may be shown."},
	"consent_required":           {400, "The person has to be asked, and no page may be shown."},
	"authorization_pending":      {400, "The person has not answered yet."},
	"slow_down":                  {400, "The person has not answered yet. Ask less often: wait five seconds longer from now on."},
	"expired_token":              {400, "The device code has expired. Begin again."},
	"request_not_supported":      {400, "The request parameter is not supported."},
	"request_uri_not_supported":  {400, "The request_uri parameter is not supported."},
	"invalid_request_uri":        {400, "The request_uri is not known, or its time is over, or it was used before."},
	"registration_not_supported": {400, "The registration parameter is not supported."},
	"server_error":               {500, "Something went wrong."},
	"temporarily_unavailable":    {503, "Nothing was changed. Try again later."},
}

// fositeCodes turns codes that no RFC knows into ones that it does.
var fositeCodes = map[string]string{
	"unsupported_response_mode": "invalid_request",
	"invalid_state":             "invalid_request",
	"insufficient_entropy":      "invalid_request",
	"request_unauthorized":      "invalid_client",
	"not_found":                 "invalid_grant",
	"token_inactive":            "invalid_grant",
	"token_expired":             "invalid_grant",
	"invalid_token":             "invalid_grant",
	"token_signature_mismatch":  "invalid_grant",
}

// refuse makes an Error of a code of the table.
func refuse(code string) *Error {
	t, ok := errorTable[code]
	if !ok {
		code, t = "server_error", errorTable["server_error"]
	}
	return &Error{Code: code, Status: t.status, Description: t.description}
}

// BadRequest is an [Error] invalid_request about a request that could not even
// be read. text must be a constant, as for all descriptions.
func BadRequest(text string) *Error { return refuse("invalid_request").saying(text) }

// because keeps the cause for the operator.
func (e *Error) because(err error) *Error { e.cause = err; return e }

// saying replaces the description; text must be a constant in the characters of
// RFC 6749 §5.2 (no quotes, no backslash).
func (e *Error) saying(text string) *Error { e.Description = text; return e }

// Refusal is the *[Error] that err is or wraps; of any other, that something went
// wrong.
func Refusal(err error) *Error { return errorOf(err) }

// errorOf makes an Error of whatever a request ended with.
func errorOf(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, store.ErrUnavailable) {
		return unavailable(err)
	}
	var f *fosite.RFC6749Error
	if !errors.As(err, &f) {
		return refuse("server_error").because(err)
	}
	code := f.ErrorField
	if known, ok := fositeCodes[code]; ok {
		code = known
	}
	return refuse(code).because(err)
}

// PolicyDenied is the error of what the policy denied: its own reason code, if
// that is one of the codes that leave this server, or else this one.
func PolicyDenied(code, reason string) *Error {
	if t, ok := errorTable[reason]; ok && t.status < 500 {
		code = reason
	}
	return refuse(code).saying("The policy of this server does not permit it.")
}

// Unavailable is the error where nothing could be decided or written.
func Unavailable() *Error { return refuse("temporarily_unavailable") }

// unavailable is the answer where the store failed, in whatever way.
func unavailable(err error) *Error { return refuse("temporarily_unavailable").because(err) }
