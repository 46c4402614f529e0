package harness

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
)

// Flow is one run of the authorization code flow (RFC 6749 §4.1, RFC 7636).
type Flow struct {
	App    App
	Scopes string
	Untick string     // scopes that the person unticks
	Deny   bool       // the person presses deny
	Change url.Values // parameters of the authorization request that differ; an empty value leaves one out

	Verifier string
	State    string
}

// Tokens are the answer of the token endpoint.
type Tokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"`
	Scope     string `json:"scope"`
}

// URL is the authorization request of the flow.
func (f *Flow) URL(base string) string {
	if f.Verifier == "" {
		f.Verifier, f.State = rand.Text()+rand.Text(), rand.Text()
	}
	challenge := sha256.Sum256([]byte(f.Verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {f.App.ID}, "redirect_uri": {f.App.Redirect},
		"scope": {f.Scopes}, "state": {f.State}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	if f.Deny || f.Untick != "" { // what is remembered is not asked
		q.Set("prompt", "consent")
	}
	for name, values := range f.Change {
		q[name] = values
		if len(values) == 1 && values[0] == "" {
			q.Del(name)
		}
	}
	return base + "/oauth2/authorize?" + q.Encode()
}

// Authorize goes through login and consent to the redirect, whose query it
// returns; the answer is the last one.
func (b *Browser) Authorize(p Person, f *Flow) (url.Values, *Answer, error) {
	a, err := b.Open(f.URL(b.base))
	for range 4 {
		if err != nil {
			return nil, a, err
		}
		if to := b.absolute(a); a.Status >= 300 && a.Status < 400 && strings.HasPrefix(to, f.App.Redirect) {
			u, err := url.Parse(to)
			if err != nil {
				return nil, a, err
			}
			return u.Query(), a, nil
		}
		if login, none := formWith(a, "password"); none == nil && login.Method != "" {
			a, err = b.fillLogin(a, p, "")
			continue
		}
		a, err = b.consent(a, f)
	}
	return nil, a, fmt.Errorf("the flow does not end: %s", a)
}

func (b *Browser) consent(page *Answer, f *Flow) (*Answer, error) {
	form, err := formWith(page, "flow")
	if err != nil {
		return page, err
	}
	ticked := form.Fields["scope"]
	form.Fields.Del("scope")
	for _, s := range ticked {
		if !strings.Contains(" "+f.Untick+" ", " "+s+" ") {
			form.Fields.Add("scope", s)
		}
	}
	form.Fields.Set("decision", "approve")
	if f.Deny {
		form.Fields.Set("decision", "deny")
	}
	return b.Submit(form)
}

// Exchange redeems a code at the token endpoint.
func (s *Server) Exchange(f *Flow, code string) (*Answer, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {f.App.Redirect}, "code_verifier": {f.Verifier}}
	return s.Token(f.App, form)
}

// Refresh uses a refresh token.
func (s *Server) Refresh(app App, token string) (*Answer, error) {
	return s.Token(app, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// Token asks the token endpoint as the app: with its secret, or as a public client.
func (s *Server) Token(app App, form url.Values) (*Answer, error) {
	to := s.Base(app.Other) + "/oauth2/token"
	if app.Secret == "" {
		form.Set("client_id", app.ID)
		return s.Form(to, "", "", form)
	}
	return s.Form(to, app.ID, app.Secret, form)
}

// Code has a person log in in a new browser and give the app a code.
func (s *Server) Code(p Person, f *Flow) (string, error) {
	q, a, err := s.NewBrowser(p.Other).Authorize(p, f)
	if err != nil {
		return "", err
	}
	if q.Get("code") == "" {
		return "", fmt.Errorf("no code: %s", a)
	}
	return q.Get("code"), nil
}

// Tokens has a person give an app these scopes, through login and consent.
func (s *Server) Tokens(p Person, app App, scopes string) (*Tokens, error) {
	f := &Flow{App: app, Scopes: scopes}
	code, err := s.Code(p, f)
	if err != nil {
		return nil, err
	}
	a, err := s.Exchange(f, code)
	return tokens(a, err)
}

// Service gets a token by client_credentials (RFC 6749 §4.4).
func (s *Server) Service(app App, scopes string) (*Tokens, error) {
	a, err := s.Token(app, url.Values{"grant_type": {"client_credentials"}, "scope": {scopes}})
	return tokens(a, err)
}

func tokens(a *Answer, err error) (*Tokens, error) {
	if err != nil {
		return nil, err
	}
	if a.Status != 200 {
		return nil, fmt.Errorf("token endpoint: %s", a)
	}
	t := new(Tokens)
	return t, a.Decode(t)
}
