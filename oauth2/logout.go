package oauth2

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/pointgate/pointgate/store"
)

// LogoutLifetime is how long a request to log out may wait for the person.
const LogoutLifetime = 10 * time.Minute

// Logout is a client's request that a person be logged out (OpenID Connect
// RP-Initiated Logout §2). What it asks for was checked; whether the person wants
// it is another question.
type Logout struct {
	ClientID   string    `json:"c,omitempty"` // who asks; empty: somebody
	ClientName string    `json:"n,omitempty"`
	Redirect   string    `json:"r,omitempty"` // where the browser goes afterwards, with state; empty: nowhere
	Subject    string    `json:"s,omitempty"` // of the ID token that came along
	Session    string    `json:"i,omitempty"` // of that token; not all have one
	ExpiresAt  time.Time `json:"z"`           // set by SealLogout
}

// Proves reports whether the request shows that the client knows this very
// session, by an ID token of it: then nobody needs to be asked. Another session
// of the same person is theirs to end.
func (l *Logout) Proves(person, session string) bool {
	return l.Subject != "" && l.Subject == person && (l.Session == "" || l.Session == session)
}

// Logout checks a request to log out. An id_token_hint may have expired; one that
// is not of this tenant, or of a key that was revoked, counts for nothing. A
// redirect is good for a client that is known and has registered the very
// address; nothing else is ever redirected to. Errors are *[Error], to be shown.
func (p *Provider) Logout(ctx context.Context, t *store.Tenant, form url.Values) (*Logout, error) {
	ctx, x := p.begin(ctx, t)
	if err := single(form); err != nil {
		return nil, err
	}
	l := new(Logout)
	hint := p.idToken(t, form.Get("id_token_hint"))
	id := form.Get("client_id")
	switch {
	case id == "":
		id = hint.Audience
	case hint.Audience != "" && hint.Audience != id:
		return nil, refuse("invalid_request").saying("The id_token_hint is of another client.")
	}
	c, err := p.client(ctx, x, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, x.end(err)
	}
	if c != nil {
		l.ClientID, l.ClientName = c.ID, c.Name
		if hint.Audience == c.ID {
			l.Subject, l.Session = hint.Subject, hint.SessionID
		}
	}
	to := form.Get("post_logout_redirect_uri")
	if to == "" {
		return l, nil
	}
	if c == nil || !slices.Contains(c.LogoutURIs, to) {
		return nil, refuse("invalid_request").saying("The post_logout_redirect_uri is not registered for this application.")
	}
	l.Redirect = to
	if state := form.Get("state"); state != "" {
		l.Redirect = withQuery(to, url.Values{"state": {state}})
	}
	return l, nil
}

// idToken are the claims of an ID token that this tenant has signed, whenever
// that was; none of anything else.
func (p *Provider) idToken(t *store.Tenant, token string) idClaims {
	head := headOf(token)
	k := p.signing.ring.Load().byID[kidOf(head)]
	var claims idClaims
	if head == "" || k == nil || k.row.Tenant != t.ID || head != k.head(typID) || !k.vouches() ||
		!k.claimsOf(token, &claims) || claims.Issuer != k.row.Issuer {
		return idClaims{}
	}
	return claims
}

// SealLogout makes a text of a request that waits for the person's answer. It is
// safe in a URL.
func (p *Provider) SealLogout(l *Logout, tenant string) string {
	out := *l
	out.ExpiresAt = p.now().Add(LogoutLifetime).UTC().Truncate(time.Second)
	plain, err := json.Marshal(out)
	if err != nil {
		panic(err) // strings and a time
	}
	return encode(p.flows.seal(plain, logoutAt+tenant))
}

// OpenLogout opens what [Provider.SealLogout] made at this tenant; [ErrFlow] for
// whatever is wrong with it.
func (p *Provider) OpenLogout(sealed, tenant string) (*Logout, error) {
	raw, err := decode(sealed)
	if err != nil {
		return nil, ErrFlow
	}
	plain, err := p.flows.open(raw, logoutAt+tenant)
	var l Logout
	if err != nil || json.Unmarshal(plain, &l) != nil || !p.now().Before(l.ExpiresAt) {
		return nil, ErrFlow
	}
	return &l, nil
}

const logoutAt = "logout at "
