package oauth2

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// credentials are what a client showed of itself in a request (RFC 6749 §2.3,
// RFC 7521 §4.2).
type credentials struct {
	id        string
	method    string // methodBasic, methodPost or methodAssertion; "": the id alone
	secret    string
	assertion *assertion // not verified
}

// readCredentials takes one method of authentication: Basic, a secret in the
// body or an assertion, and not two of them (RFC 6749 §2.3).
func readCredentials(authorization string, form url.Values) (*credentials, error) {
	shown := &credentials{id: form.Get("client_id"), secret: form.Get("client_secret")}
	assertion := form.Get("client_assertion") != "" || form.Get("client_assertion_type") != ""
	switch {
	case authorization != "" && (assertion || shown.secret != ""), assertion && shown.secret != "":
		return nil, refuse("invalid_request").saying("Credentials are given in two ways.")
	case assertion:
		return readAsserted(form)
	case authorization != "":
		return readBasic(authorization, shown.id)
	case shown.id == "":
		return nil, refuse("invalid_client")
	case shown.secret != "":
		shown.method = methodPost
	}
	return shown, nil
}

// readAsserted: the client is the one that the assertion says it is, and the
// client_id, if it is there, must be the same.
func readAsserted(form url.Values) (*credentials, error) {
	if form.Get("client_assertion_type") != assertionType {
		return nil, refuse("invalid_client").because(errAssertion)
	}
	a, err := readAssertion(form.Get("client_assertion"))
	if err != nil {
		return nil, refuse("invalid_client").because(err)
	}
	if id := form.Get("client_id"); id != "" && id != a.issuer {
		return nil, refuse("invalid_client").because(errAssertionClaims)
	}
	return &credentials{id: a.issuer, method: methodAssertion, assertion: a}, nil
}

// readBasic: an empty secret is none. Some libraries name a public client so.
func readBasic(authorization, inBody string) (*credentials, error) {
	id, secret, ok := parseBasic(authorization)
	switch {
	case !ok:
		return nil, refuse("invalid_client")
	case inBody != "" && inBody != id:
		return nil, refuse("invalid_request").saying("The client_id is not the one of the Authorization header.")
	case secret == "":
		return &credentials{id: id}, nil
	}
	return &credentials{id: id, method: methodBasic, secret: secret}, nil
}

// parseBasic reads id and secret, which are form-encoded inside of Basic
// (RFC 6749 §2.3.1, appendix B).
func parseBasic(authorization string) (id, secret string, ok bool) {
	scheme, raw, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(raw)
	if err != nil {
		return "", "", false
	}
	id, secret, ok = strings.Cut(string(plain), ":")
	if !ok {
		return "", "", false
	}
	id, err = url.QueryUnescape(id)
	if err != nil {
		return "", "", false
	}
	secret, err = url.QueryUnescape(secret)
	return id, secret, err == nil
}
