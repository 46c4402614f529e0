package oauth2

import (
	"context"
	"errors"
	"net/url"

	"github.com/ory/fosite"

	"github.com/pointgate/pointgate/store"
)

// Remembered is what the person gave the client for the same audience before;
// nil if nothing is remembered.
func (p *Provider) Remembered(ctx context.Context, f *Flow, person string) ([]string, error) {
	return remembered(ctx, p.store, f, person)
}

func remembered(ctx context.Context, r store.Reader, f *Flow, person string) ([]string, error) {
	c, err := store.GetConsent(ctx, r, f.Tenant, person, f.ClientID, f.audience())
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.Scopes, nil
}

// audience is the flow's as consents know it: empty for the tenant's API, which
// may move with its issuer.
func (f *Flow) audience() string {
	if t := (store.Tenant{Issuer: f.Issuer}); f.Resource == t.Resource() {
		return ""
	}
	return f.Resource
}

// ApproveAgain prepares the grant of a flow that asks for nothing but what the
// person gave this client before. It is nil where they have to be asked: where
// the flow wants more, or the client wants it so (prompt=consent), or nobody
// can be sure that it is this client (RFC 8252 §8.6).
func (p *Provider) ApproveAgain(ctx context.Context, f *Flow, who Person) (*Prepared[string], error) {
	if f.AskAgain {
		return nil, nil
	}
	given, err := remembered(ctx, p.store, f, who.ID)
	if err != nil {
		return nil, unavailable(err)
	}
	if !covers(given, f.Scopes) {
		return nil, nil
	}
	again, err := p.approve(ctx, f, who, f.Scopes)
	if err != nil || !known(again.Client, f) {
		return nil, err
	}
	again.Facts["remembered"] = true
	again.x.steps = append([]step{func(ctx context.Context, tx *store.Tx) error {
		given, err := remembered(ctx, tx, f, who.ID)
		if err == nil && !covers(given, f.Scopes) {
			err = refuse("consent_required") // they took it back a moment ago
		}
		return err
	}}, again.x.steps...)
	return again, nil
}

func covers(given, asked []string) bool { return len(keep(asked, within(given))) == len(asked) }

// known reports whether it is sure who gets the code: a client that has to prove
// who it is, or an address that belongs to somebody. Any app on a person's
// device can listen at a loopback port or take a private scheme.
func known(c *store.Client, f *Flow) bool {
	u, err := url.Parse(f.RedirectURI)
	return !c.Public || err == nil && u.Scheme == "https" && !fosite.IsLocalhost(u)
}

// remember notes what the person gave, where it may serve again.
func (x *exchange) remember(f *Flow, who Person, granted []string) {
	if !known(x.client.Client, f) {
		return
	}
	c := &store.Consent{Tenant: f.Tenant, ClientID: f.ClientID, UserID: who.ID, Audience: f.audience(), Scopes: granted}
	x.add(func(ctx context.Context, tx *store.Tx) error { return tx.Remember(ctx, c, f.Scopes) })
}
