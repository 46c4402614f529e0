package oauth2

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"time"
)

// Flow is an authorization request that was found good and waits for consent.
// It is kept by nobody: [Provider.Seal] makes a text of it that travels with
// the browser, so strangers can't fill the database.
type Flow struct {
	ID           string    `json:"i"` // has at most one code, however often consent is sent
	Tenant       string    `json:"t"`
	Issuer       string    `json:"u"`
	ClientID     string    `json:"c"`
	ClientName   string    `json:"n"`
	ClientHost   string    `json:"w,omitempty"` // of a client that is a document: where it is
	RedirectURI  string    `json:"r"`           // where the answer goes
	RedirectHost string    `json:"h"`           // to be shown; of a private scheme, the scheme
	RedirectSent bool      `json:"x,omitempty"` // redirect_uri was sent, so the token request must repeat it
	Scopes       []string  `json:"s"`
	State        string    `json:"e,omitempty"` // returned unchanged
	Challenge    string    `json:"p"`           // PKCE, S256
	Key          string    `json:"j,omitempty"` // the thumbprint of the DPoP key that the code will be for (dpop_jkt)
	Nonce        string    `json:"b,omitempty"` // for the ID token
	Resource     string    `json:"a"`
	ResourceName string    `json:"o,omitempty"` // to be shown; empty: the tenant's API
	ExpiresAt    time.Time `json:"z"`           // set by Seal and SealLogin

	Silent     bool      `json:"q,omitempty"` // no page may be shown (prompt=none)
	AskAgain   bool      `json:"g,omitempty"` // for consent, also where it is remembered (prompt=consent)
	LoginAfter time.Time `json:"l,omitzero"`  // no login before it will do
	Classes    []string  `json:"k,omitempty"` // of which the login shall be one; see ACRs
	LoginHint  string    `json:"m,omitempty"` // what the client thinks the person's address is
	Subject    string    `json:"v,omitempty"` // who it must be where no page may be shown (id_token_hint); empty: anybody
}

// ErrFlow says that a sealed flow is not one, is too old, or belongs to another
// session: the person has to begin again at the client.
var ErrFlow = errors.New("oauth2: no such pending request")

// For narrows the scopes to those that this type of person may give. If nothing
// useful is left, the error takes the browser back to the client.
func (f *Flow) For(personType string) error {
	f.Scopes = holdable(personType, f.Scopes)
	if !useful(f.Scopes) {
		return f.refuse(refuse("invalid_scope"))
	}
	return nil
}

// Seal makes a text of a flow that only this person opens, in this session, for
// [FlowLifetime]. It is safe in a URL.
func (p *Provider) Seal(f *Flow, person, session string) string {
	return p.sealFlow(f, FlowLifetime, person, session)
}

// OpenFlow opens a sealed flow; [ErrFlow] for whatever is wrong with it.
func (p *Provider) OpenFlow(sealed, person, session string) (*Flow, error) {
	return p.openFlow(sealed, person, session)
}

// SealLogin makes a text of a flow for which somebody has to log in first, for
// [LoginLifetime]. What the login must be is sealed too, so that nobody on the
// way can take it back.
func (p *Provider) SealLogin(f *Flow) string {
	return p.sealFlow(f, LoginLifetime, beforeLogin+f.Tenant)
}

// OpenLogin opens what [Provider.SealLogin] made at this tenant.
func (p *Provider) OpenLogin(sealed, tenant string) (*Flow, error) {
	return p.openFlow(sealed, beforeLogin+tenant)
}

const beforeLogin = "before login at "

func (p *Provider) sealFlow(f *Flow, life time.Duration, context ...string) string {
	out := *f
	out.ExpiresAt = p.now().Add(life).UTC().Truncate(time.Second)
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false) // it would make six bytes of each & of the state
	if err := e.Encode(out); err != nil {
		panic(err) // strings and times
	}
	return encode(p.flows.seal(plain.Bytes(), context...))
}

func (p *Provider) openFlow(sealed string, context ...string) (*Flow, error) {
	raw, err := decode(sealed)
	if err != nil {
		return nil, ErrFlow
	}
	plain, err := p.flows.open(raw, context...)
	if err != nil {
		return nil, ErrFlow
	}
	var f Flow
	if json.Unmarshal(plain, &f) != nil || !p.now().Before(f.ExpiresAt) {
		return nil, ErrFlow
	}
	return &f, nil
}

// Refuse is the refusal of this code, for the client.
func (f *Flow) Refuse(code string) *Error { return f.refuse(refuse(code)) }

// Refused is where the browser takes a refusal.
func (f *Flow) Refused(e *Error) string { return f.refuse(e).Redirect }

// refuse makes the error one that the browser takes to the client.
func (f *Flow) refuse(e *Error) *Error {
	e.Redirect = f.answer(url.Values{"error": {e.Code}, "error_description": {e.Description}})
	return e
}

// answer is the address of an authorization response. The registered query
// stays as it is (RFC 6749 §3.1.2); iss tells the client who answers (RFC 9207).
func (f *Flow) answer(params url.Values) string {
	params.Set("iss", f.Issuer)
	if f.State != "" {
		params.Set("state", f.State)
	}
	return withQuery(f.RedirectURI, params)
}

// withQuery adds parameters to an address and leaves what it has as it is.
func withQuery(to string, params url.Values) string {
	glue := "?"
	if u, err := url.Parse(to); err == nil && u.RawQuery != "" {
		glue = "&"
	}
	return to + glue + params.Encode()
}
